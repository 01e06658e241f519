"""Whether the app is fast enough: judged over enough traffic; before that it is too little to judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.monitoring import Histogram, Kind, Series, Timings
from core.monitoring.summary import cache_lookups, rows, share_percent
from core.operations.stage_metrics import WHOLE

ENOUGH_CALLS = 100  # so that five lie above the 95th percentile
LIMITS_MS: Mapping[Kind, float] = {Kind.REQUEST: 100.0, Kind.PAGE: 300.0, Kind.QUERY: 20.0}
GOOD_HIT_PERCENT = 90.0
# Other requests say nothing of the app's speed: transfers are as long as what they send, and a first visit
# fetches the pages' own files by the hundred.
_JUDGED_REQUESTS = ("GET /api/", "HEAD /api/")


class Grade(StrEnum):
    """Result of judging a figure."""

    GOOD = "good"
    WATCH = "look at this"
    TOO_LITTLE = "too little to judge"


@dataclass(frozen=True, slots=True)
class Assessment:
    """A figure over some calls against its limit: a 95th percentile in ms, or a share in percent."""

    grade: Grade
    calls: int
    value: float | None
    limit: float


def speed(timings: Timings, kind: Kind) -> Assessment:
    """Judge the 95th percentile of a kind of LIMITS_MS; cold starts and long transfers do not count."""
    histogram = Histogram.of(row.histogram for row in rows(timings, kind) if _is_judged(kind, row.name))
    value, limit = histogram.percentile(0.95), LIMITS_MS[kind]
    return Assessment(
        _grade(histogram.calls, value is not None and value <= limit), histogram.calls, value, limit
    )


def cache_hits(timings: Timings) -> Assessment:
    """Judge the share of look-ups into the caches that found something."""
    hits, misses = cache_lookups(timings)
    percent = share_percent(hits, hits + misses)
    is_good = percent is not None and percent >= GOOD_HIT_PERCENT
    return Assessment(_grade(hits + misses, is_good), hits + misses, percent, GOOD_HIT_PERCENT)


def segmentation(timings: Timings) -> Histogram:
    """Return how long images took in their workers, without waiting and without cold starts."""
    return Histogram.of(row.histogram for row in rows(timings, Kind.STAGE) if row.name == WHOLE)


def without_transfers(timings: Timings) -> Timings:
    """Return those metrics that say something of the app's speed: all but those of long transfers."""
    return {series: histogram for series, histogram in timings.items() if _says_speed(series)}


def _says_speed(series: Series) -> bool:
    return _is_judged(series.kind, series.name)


def _is_judged(kind: Kind, name: str) -> bool:
    return kind is not Kind.REQUEST or name.startswith(_JUDGED_REQUESTS)


def _grade(calls: int, is_good: bool) -> Grade:
    if calls < ENOUGH_CALLS:
        return Grade.TOO_LITTLE
    return Grade.GOOD if is_good else Grade.WATCH
