"""Segments: the pixels of a region as stretches of rows.

What is done with them costs what its runs cost, however large a box they span: two pixels in the corners of
an image are two segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Stretches of rows, from top to bottom and from left to right, without overlaps; at least one.

    Of each its row, its first column and the column after its last one, int64 (N,), in pixels of the image.
    """

    rows: Integers
    starts: Integers
    ends: Integers

    @classmethod
    def of_runs(cls, runs: Sequence[int], box: tuple[int, int, int]) -> Segments:
        """The segments of runs, start and length by turns, through a box of x, y and width."""
        x, y, width = box
        values = np.asarray(runs, np.int64).reshape(-1, 2)
        begins, ends = values[:, 0], values.sum(axis=1)
        n_rows = (ends - 1) // width - begins // width + 1
        rows = np.repeat(begins // width, n_rows) + _count_up(n_rows)
        starts = np.maximum(np.repeat(begins, n_rows) - rows * width, 0)
        stops = np.minimum(np.repeat(ends, n_rows) - rows * width, width)
        return cls(rows + y, starts + x, stops + x)

    def to_runs(self) -> tuple[int, int, int, int, tuple[int, ...]]:
        """x, y, width and height of the smallest box, and the fewest runs through it."""
        x, y = int(self.starts.min()), int(self.rows[0])
        width, height = int(self.ends.max()) - x, int(self.rows[-1]) + 1 - y
        begins = (self.rows - y) * width + self.starts - x
        ends = begins + self.ends - self.starts
        first = np.concatenate(([True], begins[1:] > ends[:-1]))
        last = np.concatenate((first[1:], [True]))
        runs = np.stack((begins[first], ends[last] - begins[first]), axis=1)
        return x, y, width, height, tuple(runs.ravel().tolist())

    def parts(self) -> list[Segments]:
        """The connected parts, in no order; pixels also connect at corners."""
        stride = int(self.ends.max()) + 2
        begins, ends = self.rows * stride + self.starts, self.rows * stride + self.ends
        # in the next row: those that end where this one begins, or later, and begin where it ends, or earlier
        low = np.searchsorted(ends, begins + stride, "left")
        high = np.searchsorted(begins, ends + stride, "right")
        beside = np.flatnonzero(ends[:-1] == begins[1:])  # of the same row
        one = np.concatenate((np.repeat(np.arange(len(low)), high - low), beside))
        other = np.concatenate((np.repeat(low, high - low) + _count_up(high - low), beside + 1))
        links = coo_matrix((np.ones(len(one), np.bool_), (one, other)), (len(low), len(low)))
        count, numbers = connected_components(links, directed=False)
        if count == 1:
            return [self]
        order = np.argsort(numbers, kind="stable")
        places = np.split(order, np.cumsum(np.bincount(numbers))[:-1])
        return [Segments(self.rows[place], self.starts[place], self.ends[place]) for place in places]

    def shared_px(self, other: Segments) -> int:
        """Number of pixels that two have in common."""
        stride = int(max(self.ends.max(), other.ends.max())) + 1
        begins, lengths = other.rows * stride + other.starts, other.ends - other.starts
        before = np.concatenate(([0], np.cumsum(lengths)))

        def covered(places: Integers) -> Integers:
            """How many pixels of the other come before each place."""
            number = np.searchsorted(begins, places, "right") - 1
            within = np.minimum(places - begins[number], lengths[number])
            covered_px: Integers = np.where(number < 0, 0, before[number] + within)
            return covered_px

        from_, to = self.rows * stride + self.starts, self.rows * stride + self.ends
        return int((covered(to) - covered(from_)).sum())


def _count_up(counts: Integers) -> Integers:
    """0, 1, … for each of some counts, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
