"""The recorder: counts from many threads, forgets the oldest, loses nothing, and can be switched off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from core.monitoring import FAILED, HIT, OK, Histogram, Kind, QueryRecorder, Recorder, Series, merge
from core.monitoring.recorder import FOLD_AT


def calls(timings: dict[Series, Histogram]) -> dict[tuple[str, str], int]:
    return {(series.name, series.outcome): histogram.calls for series, histogram in timings.items()}


def test_it_counts_from_many_threads_and_keeps_only_the_latest() -> None:
    recorder = Recorder(keep=10)
    queries = QueryRecorder(recorder)
    count = 3 * FOLD_AT
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: queries.record("a" if n % 2 else "b", n % 8, 1), range(count)))
    assert calls(recorder.totals()) == {("a", OK): count // 2, ("b", OK): count // 2}
    a = recorder.totals()[Series(Kind.QUERY, "a", OK)]
    assert (a.worst_ms, a.amount) == (7, count // 2)
    assert a.total_ms == sum(n % 8 for n in range(count) if n % 2)
    assert len(queries.latest()) == 10
    assert {record.name for record in queries.latest()} <= {"a", "b"}


def test_events_that_wait_are_bounded_although_nobody_reads_them() -> None:
    recorder = Recorder(keep=5)
    for _ in range(3 * FOLD_AT):
        recorder.record(Kind.PAGE, "Queue", 1.0)
    assert len(recorder.pending) < FOLD_AT
    assert recorder.totals()[Series(Kind.PAGE, "Queue", OK)].calls == 3 * FOLD_AT


def test_events_are_taken_once_and_stay_in_the_totals() -> None:
    recorder = Recorder()
    recorder.record(Kind.PAGE, "Images", 5.0)
    recorder.record(Kind.PAGE, "Images", 5.0, FAILED)
    assert calls(recorder.waiting()) == {("Images", OK): 1, ("Images", FAILED): 1}
    assert calls(recorder.take()) == {("Images", OK): 1, ("Images", FAILED): 1}
    assert recorder.take() == recorder.waiting() == {}
    recorder.record(Kind.PAGE, "Images", 5.0)
    assert calls(recorder.take()) == {("Images", OK): 1}
    assert calls(recorder.totals()) == {("Images", OK): 2, ("Images", FAILED): 1}


def test_totals_that_were_returned_do_not_change_any_more() -> None:
    recorder = Recorder()
    recorder.record(Kind.PAGE, "Images", 5.0)
    taken = recorder.take()
    merge(taken, taken.copy())
    assert calls(taken) == {("Images", OK): 2}
    assert calls(recorder.totals()) == {("Images", OK): 1}
    merge(recorder.totals(), taken)
    assert calls(recorder.totals()) == {("Images", OK): 1}


def test_switched_off_it_keeps_nothing() -> None:
    recorder = Recorder(enabled=False)
    recorder.record(Kind.PAGE, "Images", 5.0)
    recorder.record(Kind.CACHE, "thumbnails", 0.0, HIT)
    assert recorder.totals() == {}
    assert recorder.latest(Kind.PAGE) == ()


def test_kinds_do_not_push_each_other_out() -> None:
    recorder = Recorder(keep=2)
    recorder.record(Kind.PAGE, "Images", 5.0)
    for number in range(9):
        recorder.record(Kind.QUERY, f"q{number}", 1.0, amount=number)
    assert [record.name for record in recorder.latest(Kind.PAGE)] == ["Images"]
    assert [(record.name, record.rows) for record in recorder.latest(Kind.QUERY)] == [("q7", 7), ("q8", 8)]
