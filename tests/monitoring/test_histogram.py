"""Histograms: sums over any split, percentiles within their bucket, and nothing made of nothing."""

from __future__ import annotations

import math
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.monitoring import BOUNDS_MS, Histogram

DURATIONS = st.lists(st.floats(0, 200_000), min_size=1, max_size=200)


def filled(durations: list[float]) -> Histogram:
    histogram = Histogram()
    for ms in durations:
        histogram.add(ms, 2)
    return histogram


def test_an_empty_one_knows_nothing() -> None:
    empty = Histogram()
    assert (empty.calls, empty.total_ms, empty.amount) == (0, 0, 0)
    assert (empty.mean_ms, empty.worst_ms, empty.percentile(0.95)) == (None, None, None)


def test_powers_of_ten_are_edges_and_edges_ascend() -> None:
    assert {0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0} <= set(BOUNDS_MS)
    assert list(BOUNDS_MS) == sorted(set(BOUNDS_MS))
    assert len(BOUNDS_MS) == 71


@given(DURATIONS)
def test_counts_sums_and_extremes_are_exact(durations: list[float]) -> None:
    histogram = filled(durations)
    assert (histogram.calls, histogram.amount) == (len(durations), 2 * len(durations))
    assert histogram.total_ms == pytest.approx(sum(durations))
    assert histogram.worst_ms == max(durations)
    assert histogram.slower_than(100) == sum(ms > 100 for ms in durations)
    assert histogram.up_to(1000) == sum(ms <= 1000 for ms in durations)
    assert len(histogram.buckets) <= len(BOUNDS_MS) + 1


@given(DURATIONS, st.floats(0, 1))
def test_a_percentile_lies_in_the_bucket_of_the_true_one(durations: list[float], share: float) -> None:
    true = sorted(durations)[max(0, math.ceil(share * len(durations)) - 1)]
    estimate = filled(durations).percentile(share)
    assert estimate is not None
    place = bisect_left(BOUNDS_MS, true)
    assert estimate >= (BOUNDS_MS[place - 1] if place else 0)
    assert estimate <= (BOUNDS_MS[place] if place < len(BOUNDS_MS) else max(durations))


def test_percentiles_of_an_even_spread_are_close() -> None:
    histogram = filled([ms / 10 for ms in range(1, 10_001)])
    for share in (0.5, 0.9, 0.95, 0.99):
        assert histogram.percentile(share) == pytest.approx(share * 1000, rel=0.02)


@given(DURATIONS, DURATIONS)
def test_sums_do_not_depend_on_the_split(one: list[float], two: list[float]) -> None:
    together, joined = filled([*one, *two]), Histogram.of([filled(one), filled(two)])
    assert joined.buckets.keys() == together.buckets.keys()
    assert joined.total_ms == pytest.approx(together.total_ms)
    assert (joined.calls, joined.worst_ms) == (together.calls, together.worst_ms)


def test_adding_one_to_another_leaves_that_as_it_was() -> None:
    first, second = filled([1.0]), filled([1.0])
    first.add_all(second)
    first.add(1.0)
    assert (first.calls, second.calls) == (3, 1)
