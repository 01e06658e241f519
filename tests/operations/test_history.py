"""What was recorded, taken to disk: in batches, by falling resolution, and never a reason not to work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.clock import utc_now
from core.errors import ServiceClosed, StorageError
from core.monitoring import HIT, MISS, OK, Kind, Recorder, Series, Timings
from core.monitoring.summary import hit_percent
from core.operations import history
from core.operations.history import FILE, History
from core.store.metrics import MetricStore
from tests.polling import wait_until

PAGE = Series(Kind.PAGE, "Images", OK)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[History]:
    opened = History(Recorder(), tmp_path, lambda: (4, 2))
    yield opened
    opened.close()


def open_again(tmp_path: Path) -> History:
    return History(Recorder(), tmp_path, lambda: (0, 0))


def test_what_was_flushed_and_what_was_not_is_in_the_window_once(opened: History) -> None:
    for flushed in (True, True, False):
        opened.recorder.record(Kind.PAGE, "Images", 12.0, amount=3)
        if flushed:
            opened.flush()
    for _ in range(2):
        pages = opened.window(5).timings[PAGE]
        assert (pages.calls, pages.total_ms, pages.worst_ms, pages.amount) == (3, 36.0, 12.0, 9)


def test_it_is_there_after_a_restart(opened: History, tmp_path: Path) -> None:
    opened.recorder.record(Kind.PAGE, "Images", 12.0)
    opened.close()
    opened.close()
    again = open_again(tmp_path)
    assert again.window(5).timings[PAGE].calls == 1
    assert again.recorder.totals() == {}
    again.close()


def test_minutes_are_those_that_there_were(opened: History) -> None:
    assert 0 <= opened.window(5).minutes < 1
    opened.flush()
    assert 0 < opened.window(5).minutes < 1


def test_the_thread_flushes_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FLUSH_SECONDS", 0.01)
    running = open_again(tmp_path)
    running.start()
    running.recorder.record(Kind.PAGE, "Images", 12.0)
    wait_until(lambda: any(running.over_time(Kind.PAGE, 5, 1).values()), what="a flush")
    running.close()


@pytest.mark.parametrize("enabled", [True, False])
def test_chores_are_done_again_and_again_whatever_another_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enabled: bool
) -> None:
    monkeypatch.setattr(history, "FLUSH_SECONDS", 0.01)
    done: list[int] = []
    periodic_tasks = [lambda: done.append(1 // 0), lambda: done.append(1)]
    running = History(Recorder(enabled), tmp_path, lambda: (0, 0), periodic_tasks=periodic_tasks)
    running.start()
    wait_until(lambda: len(done) > 2)
    running.close()
    at_the_end = len(done)
    running.close()
    assert len(done) == at_the_end


def test_samples_are_kept_with_the_queues_depth(opened: History) -> None:
    before = time.time()
    opened.flush()
    (sample,) = opened.samples(5, 60)
    assert (sample.queued, sample.running) == (4, 2)
    assert before - 60 <= sample.at <= time.time()  # the time of a slot is its beginning
    assert sample.rss_bytes > 0


def test_the_depth_is_unknown_while_the_database_is_closed(tmp_path: Path) -> None:
    def closed() -> tuple[int, int]:
        raise ServiceClosed("closed")

    without = History(Recorder(), tmp_path, closed)
    without.flush()
    (sample,) = without.samples(5, 60)
    assert (sample.queued, sample.running, without.problem) == (None, None, None)
    without.close()


def test_sources_are_read_at_each_query(tmp_path: Path) -> None:
    recorders: list[Recorder] = []

    def source(recorder: Recorder) -> None:
        recorders.append(recorder)
        recorder.record(Kind.CACHE, "views", 0.0, HIT if len(recorders) > 1 else MISS)

    recorder = Recorder()
    counted = History(recorder, tmp_path, lambda: (0, 0), [source])
    assert hit_percent(counted.window(5).timings) == 0
    counted.flush()
    assert hit_percent(counted.window(5).timings) == pytest.approx(
        100 * (len(recorders) - 1) / len(recorders)
    )
    assert set(map(id, recorders)) == {id(recorder)}
    counted.close()


def test_a_file_that_cannot_be_opened_costs_the_history_only(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 1000)
    without = open_again(tmp_path)
    without.start()
    without.recorder.record(Kind.PAGE, "Images", 12.0)
    without.flush()
    assert without.problem is not None
    assert without.window(5).timings[PAGE].calls == 1
    assert without.over_time(Kind.PAGE, 5, 1) == {}
    assert without.samples(5, 1) == ()
    without.close()


def test_what_could_not_be_saved_is_saved_later(opened: History, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(MetricStore, "add", refused)
    for _ in range(2):
        opened.recorder.record(Kind.PAGE, "Images", 12.0)
        opened.flush()
    assert opened.problem == "The disk is full."
    assert opened.window(5).timings[PAGE].calls == 2
    monkeypatch.undo()
    opened.flush()
    assert opened.problem is None
    assert opened.window(5).timings[PAGE].calls == 2


def test_switched_off_it_makes_no_file(tmp_path: Path) -> None:
    off = History(Recorder(enabled=False), tmp_path, lambda: (0, 0))
    off.start()
    off.flush()
    off.close()
    assert list(tmp_path.iterdir()) == []
    assert off.window(5).timings == {}


def at(opened: History, age: timedelta, ms: float = 5.0) -> None:
    """Record one call as if it had been ``age`` ago."""
    recorder = Recorder()
    recorder.record(Kind.PAGE, "Images", ms)
    store = opened._store
    assert store is not None
    store.add(utc_now() - age, recorder.take(), opened.sample())


def everything(opened: History) -> Timings:
    return opened.window(60 * 24 * 60).timings


def rows(opened: History) -> list[datetime]:
    return list(opened.over_time(Kind.PAGE, 60 * 24 * 60, 0.001))


def test_old_rows_are_joined_to_minutes_and_hours_and_at_last_forgotten(opened: History) -> None:
    store = opened._store
    assert store is not None
    start = datetime.now(UTC).replace(tzinfo=None)
    for age in (timedelta(minutes=5), timedelta(hours=3), timedelta(days=3), timedelta(days=20)):
        for _ in range(3):
            at(opened, age, ms=7.0)
    at(opened, timedelta(days=40))
    store.thin(start)
    left = everything(opened)[PAGE]
    assert (left.calls, left.total_ms, left.worst_ms) == (12, 84.0, 7.0)
    stamps = rows(opened)
    assert [stamp.second or stamp.microsecond for stamp in stamps if stamp < start - timedelta(hours=2)] == [
        0
    ] * len([stamp for stamp in stamps if stamp < start - timedelta(hours=2)])
    assert [stamp.minute for stamp in stamps if stamp < start - timedelta(days=10)] in ([0], [0, 0])
    assert len([stamp for stamp in stamps if stamp > start - timedelta(hours=1)]) == 3


def test_thinning_twice_changes_nothing_more(opened: History) -> None:
    store = opened._store
    assert store is not None
    for minutes in range(0, 50_000, 777):
        at(opened, timedelta(minutes=minutes))
    now = utc_now()
    store.thin(now)
    once = (rows(opened), everything(opened)[PAGE].calls)
    store.thin(now)
    assert (rows(opened), everything(opened)[PAGE].calls) == once
