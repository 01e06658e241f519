"""Redis missing, dying, hanging or damaged: the app answers the same, and calls it no more than it may."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from starlette.testclient import TestClient

from core.cache import redis as redis_cache
from core.services import Services
from core.settings import Settings
from tests.http.conftest import application
from tests.http.lab import Lab, disc
from tests.polling import wait_until
from tests.servers import RedisServer, redis_server, server_that, silent

NOBODY = "redis://127.0.0.1:1/0"
READS = 1000
FULL = pytest.mark.full


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two projects that have results."""
    services = Services.open(Settings(data=tmp_path / "data"))
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    for name in ("Plate 1", "Plate 2"):
        project = lab.project(name, um_per_px=0.65)
        for number in range(4):
            lab.measured(lab.image(project, f"{number}.png"), disc(1, 10.0 + number))
    services.close()
    return tmp_path / "data"


@contextmanager
def opened(data: Path, redis_url: str = "") -> Iterator[tuple[Services, TestClient]]:
    """The app without its pages on a folder; nothing is segmented."""
    services = Services.open(Settings(data=data, redis_url=redis_url))
    services.queue.drain(5)
    try:
        with TestClient(application(services), base_url="http://localhost") as client:
            yield services, client
    finally:
        services.close()


def addresses(services: Services) -> list[str]:
    """Everything that is answered out of the cache, and the lists beside it."""
    urls = ["/api/projects"]
    for project in services.store.projects.list():
        urls.append(f"/api/projects/{project.id}/images")
        for image in services.store.images.page(project.id).items:
            urls += [f"/thumbs/{image.id}", f"/views/{image.id}.png", f"/api/images/{image.id}"]
    return urls


def answers(services: Services, client: TestClient) -> dict[str, bytes]:
    """The body of every answer, by address."""
    bodies = {}
    for address in addresses(services):
        answer = client.get(address)
        assert answer.status_code == 200, address
        bodies[address] = answer.content
    return bodies


def sizes(services: Services) -> list[object]:
    return [services.store.results.size(project.id) for project in services.store.projects.list()]


def test_a_redis_that_is_absent_at_the_start_is_called_three_times_and_changes_no_byte(
    data: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(data) as (services, client):
        expected, right = answers(services, client), sizes(services)
    calls = _count_calls(monkeypatch)
    monkeypatch.setattr(redis_cache, "PAUSE_SECONDS", 3600.0)
    caplog.set_level(logging.INFO)
    caplog.clear()
    with opened(data, NOBODY) as (services, client):
        assert answers(services, client) == expected
        assert sizes(services) == right
        assert services.cache.snapshot()["away"]
    assert len(calls) == redis_cache.FAILURES
    assert len([line for line in caplog.messages if "redis" in line]) == 1


def _count_calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The commands that are sent to Redis from now on."""
    calls: list[object] = []
    execute = redis.Redis.execute_command

    def counted(client: redis.Redis, *command: object, **options: object) -> object:
        calls.append(command[0])
        return execute(client, *command, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(redis.Redis, "execute_command", counted)
    return calls


def _kill(server: RedisServer) -> None:
    server.kill()


def _hang(server: RedisServer) -> None:
    server.hang()


@pytest.mark.parametrize("fall", [_kill, _hang])
def test_a_redis_that_falls_mid_run_is_left_alone_and_taken_up_again(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, fall: Callable[[RedisServer], None]
) -> None:
    monkeypatch.setattr(redis_cache, "PAUSE_SECONDS", 0.3)
    with redis_server(tmp_path) as server, opened(data, server.url) as (services, client):
        expected, right = answers(services, client), sizes(services)
        for _ in range(3):
            assert answers(services, client) == expected
        before = client.get("/api/metrics/summary").json()["cache"]["hitRate"]
        fall(server)
        assert answers(services, client) == expected
        assert client.get("/api/metrics/summary").json()["cache"]["hitRate"] < before
        assert services.cache.snapshot()["away"]
        assert sizes(services) == right
        if fall is _hang:
            server.go_on()
        else:
            server.start()
        wait_until(lambda: services.cache.get("view", "anything") or not services.cache.snapshot()["away"])
        assert answers(services, client) == expected


def test_a_thousand_reads_of_a_silent_server_wait_for_it_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "PAUSE_SECONDS", 3600.0)
    calls = _count_calls(monkeypatch)
    with server_that(silent) as url, opened(data, url) as (services, _):
        project, *_ = services.store.projects.list()
        right = services.store.results.size(project.id)
        for turn in range(READS):
            services.cache.get("view", f"{turn % 7}")
        assert len(calls) == 1  # it took too long, so the breaker is open
        assert services.store.results.size(project.id) == right


PICKLE = b"cposix\nmkdir\n(S'{folder}'\ntR."


def _flipped(value: bytes, _others: list[bytes], dice: random.Random) -> bytes:
    place = dice.randrange(len(value))
    return value[:place] + bytes([value[place] ^ 1 << dice.randrange(8)]) + value[place + 1 :]


def _cut(value: bytes, _others: list[bytes], dice: random.Random) -> bytes:
    return value[: dice.randrange(len(value))]


def _swapped(value: bytes, others: list[bytes], dice: random.Random) -> bytes:
    return dice.choice([other for other in others if other != value])


def _older(value: bytes, _others: list[bytes], dice: random.Random) -> bytes:
    """As another version might have stored it: without a checksum, or with more before it."""
    head = redis_cache.CHECKSUM_BYTES
    return dice.choice([value[head:], b"spheroscope:0" + value, value[head:] + value[:head]])


MUTATIONS = (_flipped, _cut, _swapped, _older)


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=FULL)])
def test_a_corrupt_or_poisoned_value_is_a_miss_is_deleted_and_runs_nothing(
    tmp_path: Path, data: Path, count: int, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "TIMEOUT_SECONDS", 30.0)  # a busy machine is no fault of Redis
    trap = tmp_path / "the payload ran"
    with redis_server(tmp_path) as server, opened(data, server.url) as (services, client):
        expected, right = answers(services, client), sizes(services)
        with server.client() as stored:
            for turn in range(count):
                names = sorted(stored.keys("spheroscope:*"))  # type: ignore[type-var, arg-type]
                values = stored.mget(names)
                name = names[turn % len(names)]
                original = stored.get(name)
                if turn % 5 == 4:
                    spoilt = PICKLE.replace(b"{folder}", str(trap).encode())
                else:
                    spoilt = MUTATIONS[turn % 5](original, values, rng)  # type: ignore[arg-type]
                stored.set(name, spoilt)
                kind, key = re.fullmatch(rb"spheroscope:2:([^:]+):(.+)", name).groups()  # type: ignore[union-attr, arg-type]
                assert services.cache.get(kind.decode(), key.decode()) is None
                assert stored.get(name) is None
                stored.set(name, spoilt)
                assert sizes(services) == right
                if turn % 25 == 0:
                    assert answers(services, client) == expected
                stored.set(name, original)  # type: ignore[arg-type]
            assert answers(services, client) == expected
        assert not services.cache.snapshot()["away"]
    assert not trap.exists()
