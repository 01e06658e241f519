"""What a few numbers say of many calls: no traffic is unknown, all hits are 100 %."""

from __future__ import annotations

import pytest

from core.monitoring import FAILED, OK, Kind, Recorder, Timings
from core.monitoring.summary import cache_lookups, hit_percent, rows, whole
from tests.factories import record_lookups


def recorded(*calls: tuple[Kind, str, str, float]) -> Timings:
    recorder = Recorder()
    for kind, name, outcome, ms in calls:
        recorder.record(kind, name, ms, outcome)
    return recorder.totals()


def test_no_calls_give_no_numbers() -> None:
    nothing = whole({}, Kind.REQUEST)
    assert (nothing.calls, nothing.error_percent, nothing.histogram.mean_ms) == (0, None, None)
    assert hit_percent({}) is None
    assert rows({}, Kind.QUERY) == ()


@pytest.mark.parametrize(("hits", "misses", "percent"), [(5, 0, 100.0), (0, 5, 0.0), (3, 1, 75.0)])
def test_the_hit_rate_is_of_lookups(hits: int, misses: int, percent: float) -> None:
    recorder = Recorder()
    record_lookups(recorder, "views", hits, misses)
    recorder.record(Kind.QUERY, "views", 1.0)
    assert hit_percent(recorder.totals()) == hit_percent(recorder.totals(), "views") == percent
    assert cache_lookups(recorder.totals()) == (hits, misses)
    assert hit_percent(recorder.totals(), "other") is None


def test_only_what_the_app_could_not_do_is_a_failure() -> None:
    statuses = ("200", "206", "304", "404", "429", "499", "500", "503")
    (row,) = rows(recorded(*((Kind.REQUEST, "GET /x", status, 1.0) for status in statuses)), Kind.REQUEST)
    assert (row.calls, row.failed, row.refused, row.error_percent) == (8, 2, 3, 25.0)


def test_pages_and_stages_fail_by_word() -> None:
    (row,) = rows(recorded((Kind.PAGE, "Queue", OK, 1.0), (Kind.PAGE, "Queue", FAILED, 3.0)), Kind.PAGE)
    assert (row.failed, row.refused, row.histogram.mean_ms) == (1, 0, 2.0)


def test_rows_are_sorted_by_total_time() -> None:
    timings = recorded(
        (Kind.QUERY, "often", OK, 4.0),
        (Kind.QUERY, "often", OK, 4.0),
        (Kind.QUERY, "once", OK, 7.0),
        (Kind.PAGE, "other kind", OK, 99.0),
    )
    assert [row.name for row in rows(timings, Kind.QUERY)] == ["often", "once"]
    assert whole(timings, Kind.QUERY).calls == 3
