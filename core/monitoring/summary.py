"""Figures from recorded histograms. Without calls a figure is None, never 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.monitoring.histogram import Histogram
from core.monitoring.recorder import COLD, HIT, MISS, OK, Kind, Series


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """All calls of one name. ``failed``: by the app's fault; ``refused``: by the client's."""

    name: str
    histogram: Histogram
    failed: int = 0
    refused: int = 0

    @property
    def calls(self) -> int:
        return self.histogram.calls

    @property
    def error_percent(self) -> float | None:
        """Share of calls that failed, in percent."""
        return share_percent(self.failed, self.calls)


def rows(timings: Mapping[Series, Histogram], kind: Kind) -> tuple[SummaryRow, ...]:
    """One row for each name of a kind, the one with the most time first; cold starts do not count."""
    names: dict[str, dict[str, Histogram]] = {}
    for series, histogram in timings.items():
        if series.kind is kind and series.outcome != COLD:
            names.setdefault(series.name, {})[series.outcome] = histogram
    summary = [
        SummaryRow(name, Histogram.of(by.values()), _calls(by, is_failure), _calls(by, is_refusal))
        for name, by in names.items()
    ]
    return tuple(sorted(summary, key=lambda row: (-row.histogram.total_ms, row.name)))


def slow_queries(timings: Mapping[Series, Histogram], threshold_ms: float) -> tuple[SummaryRow, ...]:
    """Statements with calls slower than the threshold, the one with the slowest call first."""
    slow = [row for row in rows(timings, Kind.QUERY) if (row.histogram.worst_ms or 0) > threshold_ms]
    return tuple(sorted(slow, key=lambda row: -(row.histogram.worst_ms or 0)))


def whole(timings: Mapping[Series, Histogram], kind: Kind) -> SummaryRow:
    """All calls of one kind in one row."""
    parts = rows(timings, kind)
    failed, refused = sum(row.failed for row in parts), sum(row.refused for row in parts)
    return SummaryRow("", Histogram.of(row.histogram for row in parts), failed, refused)


def cache_lookups(timings: Mapping[Series, Histogram], name: str | None = None) -> tuple[int, int]:
    """Hits and misses, of one cache or of all."""
    lookups = [(s, h) for s, h in timings.items() if s.kind is Kind.CACHE and name in (None, s.name)]
    hits = sum(histogram.calls for series, histogram in lookups if series.outcome == HIT)
    return hits, sum(histogram.calls for series, histogram in lookups if series.outcome == MISS)


def hit_percent(timings: Mapping[Series, Histogram], name: str | None = None) -> float | None:
    """Share of lookups that were hits, in percent; None without lookups."""
    hits, misses = cache_lookups(timings, name)
    return share_percent(hits, hits + misses)


def share_percent(part: int, total: int) -> float | None:
    """``part`` of ``total`` in percent; None if ``total`` is 0."""
    return 100 * part / total if total else None


def is_failure(outcome: str) -> bool:
    """Whether the app failed: not the client's mistake, nor a client that left."""
    return not is_refusal(outcome) and outcome not in (OK, HIT, MISS) and not "100" <= outcome < "400"


def is_refusal(outcome: str) -> bool:
    """Whether the request was wrong, or the client left before the answer."""
    return "400" <= outcome < "500"


def _calls(by_outcome: Mapping[str, Histogram], matches: Callable[[str], bool]) -> int:
    return sum(histogram.calls for outcome, histogram in by_outcome.items() if matches(outcome))
