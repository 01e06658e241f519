"""Health checks: each failure has its own sentence, and checking changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.cache.redis import FAILURES
from core.operations import health
from core.operations.health import LITTLE_DISK_BYTES, HealthChecks, State, worst
from core.services import Services
from core.settings import Settings
from tests.servers import redis_server


def by_name(checks: HealthChecks) -> dict[str, tuple[State, str]]:
    return {check.name: (check.state, check.sentence) for check in checks.run()}


def test_a_fresh_app_is_well(services: Services) -> None:
    assert worst(services.checks.run()) is State.GOOD
    assert list(by_name(services.checks)) == [
        "database",
        "disk",
        "disk space",
        "memory",
        "recording",
        "queue",
    ]
    answered = {check.name for check in services.checks.run() if check.ms is not None and check.ms > 0}
    assert answered == {"database", "disk"}


def test_checking_changes_nothing(services: Services) -> None:
    services.history.close()  # it writes by itself
    before = services.db.generation, sorted(services.settings.data.rglob("*"))
    services.checks.run()
    assert (services.db.generation, sorted(services.settings.data.rglob("*"))) == before


def test_a_closed_database_is_bad(services: Services) -> None:
    services.db.close()
    checks = services.checks.run()
    assert worst(checks) is State.BAD
    (bad,) = [check for check in checks if check.state is State.BAD]
    assert (bad.name, bad.code) == ("database", "service_closed")
    assert bad.sentence == "The database has been closed."


def test_a_folder_that_is_gone_is_bad(services: Services, tmp_path: Path) -> None:
    gone = by_name(HealthChecks(tmp_path / "unmounted", services.db, services.history))
    assert gone["disk"][0] is gone["disk space"][0] is State.BAD
    assert "cannot be written" in gone["disk"][1]
    assert gone["database"][0] is State.GOOD


def test_little_disk_is_to_be_watched(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    few = SimpleNamespace(free=LITTLE_DISK_BYTES // 2)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: few)
    assert by_name(services.checks)["disk space"] == (
        State.WATCH,
        "Only 1.00 GiB of disk are free. Delete or move something before it is full.",
    )


def test_memory_is_held_against_its_limit(services: Services) -> None:
    tight = HealthChecks(services.settings.data, services.db, services.history, memory_limit_mb=1)
    assert tight.memory_limit_bytes == 2**20
    state, sentence = by_name(tight)["memory"]
    assert state is State.WATCH
    assert "of 1 MiB of memory are used" in sentence


def test_recording_that_is_off_or_not_kept_is_said(services: Services) -> None:
    services.history.problem = "The disk is full."
    assert by_name(services.checks)["recording"] == (
        State.WATCH,
        "Metrics are not saved: The disk is full.",
    )
    services.recorder.enabled = False
    assert by_name(services.checks)["recording"][1].startswith("Nothing is recorded")


def test_redis_is_checked_where_it_is_used_and_its_absence_is_never_bad(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        services = Services.open(Settings(data=tmp_path / "data", redis_url=server.url))
        assert by_name(services.checks)["redis"] == (State.GOOD, "Redis answers.")
        server.kill()
        state, sentence = by_name(services.checks)["redis"]
        assert state is State.WATCH
        assert sentence.startswith("Redis did not answer just now. That costs speed only.")
        for _ in range(FAILURES):
            services.cache.get("view", "anything")
        state, sentence = by_name(services.checks)["redis"]
        assert state is State.WATCH
        assert sentence.startswith("Redis does not answer; it is skipped and tried again every 5 seconds.")
        services.close()


def test_redis_is_not_mentioned_where_it_is_not_used(services: Services) -> None:
    assert "redis" not in by_name(services.checks)


def test_the_worst_of_nothing_is_good() -> None:
    assert worst(()) is State.GOOD
    one = health.Check("a", State.WATCH, "")
    assert worst((one, replace(one, state=State.GOOD))) is State.WATCH
