"""The cache: the value that was put or none, within its bytes, whatever Redis does; never a stale one."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.cache import Cache, MemoryCache, NoCache, RedisCache, cached, cached_json, open_cache
from core.cache import redis as redis_cache
from core.cache.memory import ENTRY_BYTES
from core.cache.redis import FAILURES, MAX_BYTES, PAUSE_SECONDS, Breaker
from core.db import Database
from core.errors import NotFound
from core.models import ImageStatus
from core.monitoring import QueryRecorder
from core.store import Store
from tests import servers
from tests.factories import ENGINE, add, finish, spheroid
from tests.servers import RedisServer, redis_server, server_that

MEBIBYTE = 2**20


@pytest.fixture(autouse=True)
def _patient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take its time over a call to a sound server."""
    if "impatient" not in request.fixturenames:
        monkeypatch.setattr(redis_cache, "TIMEOUT_SECONDS", 30.0)


@pytest.fixture
def impatient() -> None:
    """The timeout as it is in use."""


class Calls:
    """Counts the calls to a server, and those of them that were made while the breaker was open."""

    def __init__(self, cache: Cache) -> None:
        assert isinstance(cache, RedisCache)
        self._cache = cache
        self.total = self.while_open = 0
        for name in ("mget", "set", "delete"):
            setattr(cache._client, name, self._counted(getattr(cache._client, name)))

    def _counted(self, command: Callable[..., object]) -> Callable[..., object]:
        def call(*values: object, **options: object) -> object:
            self.total += 1
            self.while_open += self._cache.away
            return command(*values, **options)

        return call


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    url = request.getfixturevalue("redis").url if request.param == "redis" else ""
    opened = open_cache(True, MEBIBYTE, url)
    yield opened
    opened.close()


def counts(cache: Cache, kind: str = "k") -> dict[str, object]:
    return dict(cache.snapshot()["kinds"][kind])


# Both backends


def test_a_value_is_read_by_its_kind_and_key(cache: Cache, request: pytest.FixtureRequest) -> None:
    name = request.node.name
    assert cache.get("k", name) is None
    cache.put("k", name, b"\x00\xff one")
    cache.put("other", name, b"")
    assert cache.get("k", name) == b"\x00\xff one"
    assert cache.get("other", name) == b""
    cache.put("k", name, b"two")
    assert cache.get_many("k", [name, f"{name}?"]) == {name: b"two"}
    assert counts(cache) == {"hits": 2, "misses": 2, "puts": 2, "evictions": 0, "damaged": 0}


def test_a_value_is_made_once(cache: Cache, request: pytest.FixtureRequest) -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"made"

    assert [cached(cache, "k", request.node.name, make) for _ in range(3)] == [b"made"] * 3
    assert len(made) == 1
    key, value = f"{request.node.name} json", {"µ": [1, None]}
    assert [cached_json(cache, "k", key, lambda: value) for _ in range(2)] == [value] * 2


def test_a_large_value_stays_in_memory_and_is_not_sent_to_redis(cache: Cache) -> None:
    large = open_cache(True, 4 * MAX_BYTES, "") if isinstance(cache, MemoryCache) else cache
    if isinstance(large, RedisCache):
        large._memory._max_bytes = 4 * MAX_BYTES
    large.put("large", "a", bytes(MAX_BYTES + 1))
    assert large.get("large", "a") == bytes(MAX_BYTES + 1)
    assert large.snapshot()["entries"] == 1


class Bounded(RuleBasedStateMachine):
    """A small cache in memory: never another value than the last one put, never more bytes than allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = MemoryCache(2000)
        self.put_last: dict[str, bytes] = {}

    @rule(key=st.sampled_from("abcdefgh"), size=st.integers(0, 2200))
    def put(self, key: str, size: int) -> None:
        value = bytes([random.Random(size).randrange(256)]) * size
        self.cache.put("k", key, value)
        if size + ENTRY_BYTES <= 2000:
            self.put_last[key] = value
            assert self.cache.get("k", key) == value

    @rule(key=st.sampled_from("abcdefgh"))
    def get(self, key: str) -> None:
        assert self.cache.get("k", key) in (None, self.put_last.get(key))

    @invariant()
    def bytes_are_what_it_says(self) -> None:
        snapshot = self.cache.snapshot()
        n_bytes = sum(len(value) + ENTRY_BYTES for value in self.cache._values.values())
        assert snapshot["bytes"] == n_bytes <= 2000
        assert snapshot["entries"] == len(self.cache._values)


Bounded.TestCase.settings = hypothesis_settings(max_examples=20, stateful_step_count=25, deadline=None)
test_any_sequence_keeps_within_its_bytes = Bounded.TestCase


def test_the_least_recently_used_values_are_evicted_first_and_counted() -> None:
    cache = MemoryCache(3 * (10 + ENTRY_BYTES))
    for key in "abc":
        cache.put(key, key, bytes(10))
    cache.get("a", "a")
    cache.put("d", "d", bytes(10))
    assert [cache.get(key, key) is not None for key in "abcd"] == [True, False, True, True]
    assert counts(cache, "b")["evictions"] == 1
    assert cache.snapshot()["entries"] == 3


def test_off_keeps_nothing_and_counts_the_looks() -> None:
    looks: list[tuple[str, bool]] = []
    cache = open_cache(False, MEBIBYTE, "redis://nowhere", lambda kind, hit: looks.append((kind, hit)))
    assert isinstance(cache, NoCache)
    cache.put("k", "a", b"1")
    assert cache.get("k", "a") is None
    assert cache.get_many("k", ["a", "b"]) == {}
    assert looks == [("k", False)] * 3
    assert (counts(cache)["misses"], cache.snapshot()["backend"]) == (3, "off")


# Redis as it should not be


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[:-1],
        lambda value: value + b"x",
        lambda value: b"",
        lambda value: value[:4] + bytes([value[4] ^ 1]) + value[5:],
        lambda value: bytes([value[0] ^ 1]) + value[1:],
        lambda value: value[:-1] + bytes([value[-1] ^ 128]),
        lambda value: b"cos\nsystem\n(S'true'\ntR.",
        lambda value: b"\x80\x04\x95" + value,
    ],
)
def test_a_value_that_is_not_what_was_put_is_a_miss_and_goes(
    redis: RedisServer, spoil: Callable[[bytes], bytes]
) -> None:
    cache = RedisCache.connect(redis.url, MemoryCache(MEBIBYTE))
    cache.put("k", "a", b"value")
    with redis.client() as client:
        name = redis_cache._name("k", "a")
        stored = client.get(name)
        assert isinstance(stored, bytes)
        client.set(name, spoil(stored))
        assert cache.get("k", "a") is None
        assert client.get(name) is None
        client.set(redis_cache._name("k", "b"), stored)  # the right value of another key
        client.rpush(redis_cache._name("k", "c"), "a list")
    assert cache.get_many("k", ["b", "c"]) == {}
    assert counts(cache)["damaged"] == 2
    cache.close()


def test_a_redis_that_dies_and_comes_back_changes_nothing_but_speed(tmp_path: Path) -> None:
    now = [0.0]
    with redis_server(tmp_path) as server:
        memory = MemoryCache(MEBIBYTE)
        cache = RedisCache.connect(server.url, memory)
        cache._breaker = Breaker(lambda: now[0])
        cache.put("k", "before", b"1")
        server.kill()
        calls = Calls(cache)
        for turn in range(300):
            key = f"{turn % 7}"
            assert cached(cache, "k", key, key.encode) == key.encode()
        assert calls.total == FAILURES
        assert cache.snapshot()["away"]
        server.start()
        now[0] += PAUSE_SECONDS
        cache.get("k", "before")
        assert not cache.snapshot()["away"]
        cache.put("k", "after", b"2")
        assert cache.get("k", "after") == b"2"
        assert memory.peek("k", "after") is None
        cache.close()


BEHAVIOURS = {
    "silent": servers.silent,
    "hangs up": servers.hangs_up,
    "drips": servers.drips,
    "says nonsense": servers.says(b"\xff\x00nonsense\r\n"),
    "says an error": servers.says(b"-LOADING not now\r\n"),
    "says an endless text": servers.says(b"$999999999\r\nhello"),
    "is no Redis": servers.says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
}
ANSWERS = {
    "says a text": servers.says(b"$5\r\nhello\r\n"),
    "says a number": servers.says(b":7\r\n"),
    "says a list of lists": servers.says(b"*1\r\n*2\r\n:1\r\n:2\r\n"),
    "says nothing is there": servers.says(b"*1\r\n$-1\r\n"),
}


def ask_often(url: str) -> tuple[RedisCache, Calls]:
    """A thousand lookups that each get the right value, with a breaker that stays open once it is."""
    cache = open_cache(True, MEBIBYTE, url)
    assert isinstance(cache, RedisCache)
    cache._breaker = Breaker(lambda: 0.0)
    calls = Calls(cache)
    for turn in range(1000):
        key = f"{turn % 5}"
        assert cached(cache, "k", key, key.encode) == key.encode()
    cache.close()
    return cache, calls


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_server_that_does_not_answer_as_redis_is_skipped_and_costs_no_value(
    behaviour: str, impatient: None
) -> None:
    with server_that(BEHAVIOURS[behaviour]) as url:
        cache, calls = ask_often(url)
        assert cache.away
        assert calls.total <= FAILURES
        assert calls.while_open == 0


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_that_are_no_values_of_the_cache_are_misses(answer: str) -> None:
    with server_that(ANSWERS[answer]) as url:
        _, calls = ask_often(url)
        assert calls.while_open == 0


def test_a_redis_that_is_not_there_is_no_error() -> None:
    cache, calls = ask_often("redis://127.0.0.1:1/0")
    assert cache.away
    assert calls.total == FAILURES
    assert counts(cache)["hits"] > 900  # meanwhile, memory has them


def test_a_call_waits_no_longer_than_the_timeout_and_is_not_repeated() -> None:
    cache = RedisCache.connect("redis://127.0.0.1:1/0", MemoryCache(MEBIBYTE))
    options = cache._client.connection_pool.connection_kwargs
    assert options["socket_timeout"] == options["socket_connect_timeout"] == redis_cache.TIMEOUT_SECONDS
    assert options["retry"].get_retries() == 0
    cache.close()


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_caller_try() -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES - 1):
        breaker.failed("x")
    breaker.succeeded()
    for _ in range(FAILURES):
        assert breaker.allows()
        breaker.failed("x")
    assert not breaker.allows()
    now[0] += PAUSE_SECONDS
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.failed("x")
    now[0] += PAUSE_SECONDS - 0.1
    assert not breaker.allows()
    now[0] += 0.1
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True, True, True]
    breaker.failed("slow", at_once=True)
    assert not breaker.allows()


# What is read through it is never out of date


class Cached(RuleBasedStateMachine):
    """Counts and sizes read through a cache, after any sequence of writes, are those of the database."""

    backend = "memory"
    url = ""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.db = Database.open(Path(self._folder.name) / "db.duckdb", QueryRecorder())
        self.cache = open_cache(True, MEBIBYTE, self.url)
        self.cached, self.truth = Store(self.db, cache=self.cache), Store(self.db)
        self.project = self.cached.projects.create("One", ENGINE).id
        self.keys: list[str] = []

    @rule(count=st.integers(1, 3))
    def add(self, count: int) -> None:
        new = [f"{len(self.keys) + index}" for index in range(count)]
        self.keys += add(self.cached, self.project, *new)

    @rule(place=st.integers(0, 9), objects=st.integers(0, 3))
    def segment(self, place: int, objects: int) -> None:
        if place < len(self.keys):
            try:
                finish(self.cached, self.keys[place], *(spheroid(number + 1) for number in range(objects)))
            except (NotFound, AssertionError):
                return  # deleted, or finished in the same way before

    @rule(place=st.integers(0, 9), back=st.booleans())
    def delete(self, place: int, back: bool) -> None:
        ids = self.keys[place : place + 1]
        self.cached.images.delete(self.project, ids)
        if back:
            self.cached.images.restore(self.project, ids)

    @rule(name=st.sampled_from(["Two", "Three"]))
    def rename(self, name: str) -> None:
        self.cached.projects.rename(self.project, name)

    @invariant()
    def it_reads_what_is_so(self) -> None:
        assert self.cached.projects.list() == self.truth.projects.list()
        assert self.cached.projects.get(self.project) == self.truth.projects.get(self.project)
        assert self.cached.results.size(self.project) == self.truth.results.size(self.project)

    def teardown(self) -> None:
        self.db.close()
        self.cache.close()
        self._folder.cleanup()


Cached.TestCase.settings = hypothesis_settings(max_examples=8, stateful_step_count=15, deadline=None)
test_any_sequence_is_read_as_it_is = pytest.mark.slow(Cached.TestCase)


@pytest.mark.slow
def test_any_sequence_is_read_as_it_is_from_redis(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cached, "url", redis.url)
    run_state_machine_as_test(Cached, settings=Cached.TestCase.settings)


@pytest.mark.slow
def test_no_reader_sees_less_than_what_had_been_acknowledged(db: Database, cache: Cache) -> None:
    """Four writers, two readers: these see at least what had been acknowledged before they read."""
    store = Store(db, cache=cache)
    projects = [store.projects.create(f"Project {number}", ENGINE).id for number in range(2)]
    acknowledged = dict.fromkeys(projects, 0)
    lock, stop = threading.Lock(), threading.Event()

    def write(seed: int) -> None:
        for turn in range(25):
            project = projects[(seed + turn) % 2]
            add(store, project, f"{seed}-{turn}")
            with lock:
                acknowledged[project] += 1

    def read() -> int:
        looks = 0
        while not stop.is_set():
            for project in projects:
                with lock:
                    least = acknowledged[project]
                assert store.projects.get(project).counts[ImageStatus.NEW] >= least
                assert store.results.size(project).images >= least
                looks += 1
        return looks

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        writers = [pool.submit(write, seed) for seed in range(4)]
        try:
            for writer in writers:
                writer.result()
        finally:
            stop.set()
        assert all(reader.result() for reader in readers)
    assert sum(item.n_images for item in store.projects.list()) == 100
    assert counts(cache, "counts")["hits"] > 0  # type: ignore[operator]
