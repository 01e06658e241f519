"""Ragged arrays: lists of different lengths end to end in one array, so that numpy treats all at once.

``start`` has one element more than there are lists: list i is ``values[start[i]:start[i + 1]]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def starts(lengths: Iterable[int] | Ints) -> Ints:
    """Return where each list starts, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))])


def owners(start: Ints) -> Ints:
    """Return the number of the list that each element belongs to."""
    return np.repeat(np.arange(len(start) - 1), np.diff(start))


def places(start: Ints) -> Ints:
    """Return the position of each element in its list."""
    return np.arange(start[-1]) - np.repeat(start[:-1], np.diff(start))


def successors(start: Ints) -> Ints:
    """Return the index of the element after each, the first after the last; lists must not be empty."""
    after = np.arange(1, start[-1] + 1)
    after[start[1:] - 1] = start[:-1]
    return after


def sums(values: NDArray[Any], start: Ints) -> NDArray[Any]:
    """Return the sum of each list, exact for whole numbers; lists must not be empty."""
    return np.add.reduceat(values, start[:-1])
