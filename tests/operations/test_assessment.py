"""What is good is judged over enough traffic, without cold starts and long transfers."""

from __future__ import annotations

import pytest

from core.monitoring import COLD, HIT, MISS, OK, Kind, Recorder
from core.operations.assessment import ENOUGH_CALLS, Grade, cache_hits, speed


def recorded(kind: Kind, name: str, *times_ms: float, outcome: str = OK) -> Recorder:
    recorder = Recorder()
    for ms in times_ms:
        recorder.record(kind, name, ms, outcome)
    return recorder


@pytest.mark.parametrize(
    ("calls", "ms", "grade"),
    [
        (0, 0.0, Grade.TOO_LITTLE),
        (ENOUGH_CALLS - 1, 5000.0, Grade.TOO_LITTLE),
        (ENOUGH_CALLS, 250.0, Grade.GOOD),
        (ENOUGH_CALLS, 900.0, Grade.WATCH),
    ],
)
def test_speed_is_judged_over_enough_calls(calls: int, ms: float, grade: Grade) -> None:
    recorder = recorded(Kind.PAGE, "Images", *[ms] * calls)
    found = speed(recorder.totals(), Kind.PAGE)
    assert (found.grade, found.calls) == (grade, calls)


def test_cold_starts_do_not_count() -> None:
    recorder = recorded(Kind.PAGE, "Images", *[100.0] * ENOUGH_CALLS)
    for _ in range(50):
        recorder.record(Kind.PAGE, "Images", 9000.0, COLD)
    found = speed(recorder.totals(), Kind.PAGE)
    assert (found.grade, found.calls) == (Grade.GOOD, ENOUGH_CALLS)


def test_long_transfers_say_nothing_of_the_speed() -> None:
    recorder = recorded(Kind.REQUEST, "GET /api/jobs", *[20.0] * ENOUGH_CALLS, outcome="200")
    for name in (
        "GET /downloads/images/{id}/original",
        "POST /api/projects/{id}/images",
        "GET (pages)",
    ):
        for _ in range(50):
            recorder.record(Kind.REQUEST, name, 60_000.0, "200")
    found = speed(recorder.totals(), Kind.REQUEST)
    assert (found.grade, found.calls) == (Grade.GOOD, ENOUGH_CALLS)


def test_cache_hits_are_judged_over_enough_look_ups() -> None:
    recorder = recorded(Kind.CACHE, "thumbnails", *[0.0] * 50, outcome=MISS)
    assert cache_hits(recorder.totals()).grade is Grade.TOO_LITTLE
    for _ in range(50):
        recorder.record(Kind.CACHE, "thumbnails", 0.0, HIT)
    assert cache_hits(recorder.totals()).grade is Grade.WATCH
    for _ in range(900):
        recorder.record(Kind.CACHE, "thumbnails", 0.0, HIT)
    assert cache_hits(recorder.totals()).grade is Grade.GOOD
