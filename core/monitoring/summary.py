"""What recorded histograms say in a few numbers. None is "no calls", never 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.monitoring.histogram import Histogram
from core.monitoring.recorder import HIT, MISS, OK, Kind, Series


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """All calls of one name. ``failed``: the app could not do it; ``refused``: it was asked for wrongly."""

    name: str
    histogram: Histogram
    failed: int = 0
    refused: int = 0

    @property
    def calls(self) -> int:
        return self.histogram.calls

    @property
    def error_percent(self) -> float | None:
        """Share of calls that failed."""
        return share_percent(self.failed, self.calls)


def rows(timings: Mapping[Series, Histogram], kind: Kind) -> tuple[SummaryRow, ...]:
    """One row a name of one kind, the one that took most time in all first."""
    names: dict[str, dict[str, Histogram]] = {}
    for series, histogram in timings.items():
        if series.kind is kind:
            names.setdefault(series.name, {})[series.outcome] = histogram
    found = [
        SummaryRow(name, Histogram.of(by.values()), _calls(by, is_failure), _calls(by, is_refusal))
        for name, by in names.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.histogram.total_ms, row.name)))


def slow_queries(timings: Mapping[Series, Histogram], threshold_ms: float) -> tuple[SummaryRow, ...]:
    """The statements with calls that took longer, the one with the slowest call first."""
    slow = [row for row in rows(timings, Kind.QUERY) if (row.histogram.worst_ms or 0) > threshold_ms]
    return tuple(sorted(slow, key=lambda row: -(row.histogram.worst_ms or 0)))


def whole(timings: Mapping[Series, Histogram], kind: Kind) -> SummaryRow:
    """All calls of one kind together."""
    parts = rows(timings, kind)
    failed, refused = sum(row.failed for row in parts), sum(row.refused for row in parts)
    return SummaryRow("", Histogram.of(row.histogram for row in parts), failed, refused)


def cache_looks(timings: Mapping[Series, Histogram], name: str | None = None) -> tuple[int, int]:
    """Hits and misses, of one cache or of all."""
    wanted = [(s, h) for s, h in timings.items() if s.kind is Kind.CACHE and name in (None, s.name)]
    hits = sum(histogram.calls for series, histogram in wanted if series.outcome == HIT)
    return hits, sum(histogram.calls for series, histogram in wanted if series.outcome == MISS)


def hit_percent(timings: Mapping[Series, Histogram], name: str | None = None) -> float | None:
    """Share of looks that found something: 100 if all did, None if there were none."""
    hits, misses = cache_looks(timings, name)
    return share_percent(hits, hits + misses)


def share_percent(part: int, total: int) -> float | None:
    """None where there is no total."""
    return 100 * part / total if total else None


def is_failure(outcome: str) -> bool:
    """Whether the app could not do what it should have: not the client's mistake, nor its going away."""
    return not is_refusal(outcome) and outcome not in (OK, HIT, MISS) and not "100" <= outcome < "400"


def is_refusal(outcome: str) -> bool:
    """Whether the client asked for what cannot be, or left before it was answered."""
    return "400" <= outcome < "500"


def _calls(by_outcome: Mapping[str, Histogram], wanted: Callable[[str], bool]) -> int:
    return sum(histogram.calls for outcome, histogram in by_outcome.items() if wanted(outcome))
