"""Histogram of durations in fixed, log-spaced buckets: bounded memory, and histograms can be added.

Ten buckets a decade from 0.01 ms to 100 s, so a percentile is off by a quarter at worst and usually by a few
percent, since it is interpolated within its bucket. Every power of ten is an edge.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

PER_DECADE = 10
# Upper edges in ms, each belonging to its bucket; one more bucket, without an upper edge, follows.
BOUNDS_MS = tuple(float(f"{10 ** (step / PER_DECADE - 2):.6g}") for step in range(7 * PER_DECADE + 1))


@dataclass(slots=True)
class Bucket:
    """Calls with durations between two edges."""

    calls: int = 0
    ms: float = 0.0
    worst_ms: float = 0.0
    amount: int = 0


@dataclass(slots=True)
class Histogram:
    """Calls by duration, and their amount: rows or bytes. Only buckets in use are stored."""

    buckets: dict[int, Bucket] = field(default_factory=dict)

    def add(self, ms: float, amount: int = 0) -> None:
        """Add one call."""
        number = bisect_left(BOUNDS_MS, ms)
        bucket = self.buckets.get(number)
        if bucket is None:
            bucket = self.buckets[number] = Bucket()
        bucket.calls += 1
        bucket.ms += ms
        bucket.amount += amount
        if ms > bucket.worst_ms:  # noqa: PLR1730 - max() would double the cost of the whole
            bucket.worst_ms = ms

    def add_bucket(self, number: int, other: Bucket) -> None:
        """Add all calls of a bucket of another histogram."""
        bucket = self.buckets.setdefault(number, Bucket())
        bucket.calls += other.calls
        bucket.ms += other.ms
        bucket.amount += other.amount
        bucket.worst_ms = max(bucket.worst_ms, other.worst_ms)

    def add_all(self, other: Histogram) -> Histogram:
        """Add all calls of another histogram; return itself."""
        for number, bucket in other.buckets.items():
            self.add_bucket(number, bucket)
        return self

    @classmethod
    def of(cls, histograms: Iterable[Histogram]) -> Histogram:
        """Return one histogram of all calls of several."""
        whole = cls()
        for histogram in histograms:
            whole.add_all(histogram)
        return whole

    @property
    def calls(self) -> int:
        return sum(bucket.calls for bucket in self.buckets.values())

    @property
    def total_ms(self) -> float:
        return sum(bucket.ms for bucket in self.buckets.values())

    @property
    def amount(self) -> int:
        return sum(bucket.amount for bucket in self.buckets.values())

    @property
    def mean_ms(self) -> float | None:
        """Time in ms; None without calls."""
        calls = self.calls
        return self.total_ms / calls if calls else None

    @property
    def worst_ms(self) -> float | None:
        """In ms; None without calls."""
        return max((bucket.worst_ms for bucket in self.buckets.values()), default=None)

    def percentile(self, share: float) -> float | None:
        """Duration in ms that ``share`` (0 to 1) of the calls did not exceed; None without calls.

        Linear within a bucket, between its lower edge and its slowest call.
        """
        rank, below = share * self.calls, 0
        last: float | None = None
        for number, bucket in sorted(self.buckets.items()):
            if bucket.calls == 1:
                last = bucket.ms
            else:
                low = BOUNDS_MS[number - 1] if number else 0.0
                part = min(1.0, max(0.0, (rank - below) / bucket.calls))
                last = low + part * (bucket.worst_ms - low)
            below += bucket.calls
            if below >= rank:
                break
        return last

    def slower_than(self, ms: float) -> int:
        """Number of calls that took longer; exact if ``ms`` is an edge, as every power of ten is."""
        first = bisect_left(BOUNDS_MS, ms) + 1
        return sum(bucket.calls for number, bucket in self.buckets.items() if number >= first)

    def up_to(self, ms: float) -> int:
        """Number of calls that took at most ``ms``, which is one of the edges."""
        return self.calls - self.slower_than(ms)
