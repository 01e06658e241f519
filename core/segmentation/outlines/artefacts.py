"""Artefacts: objects that are no spheroids, such as well walls, scale bars and what is out of focus."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.segmentation.engines.base import Map
from core.segmentation.outlines.boundaries import Labels

Keep = NDArray[np.bool_]

# Of the way from the outline's level to 1. Of 120 drawn empty fields 10 got a false outline with 0.8, 4 with
# 0.9; no mean of nine sets and six ladders fell by more than 0.002, but that of wells, where one small body
# of 36 was lost.
_NEARLY_SURE = 0.9
_SOFT = 0.25  # of the typical sharpness


def walls(labels: Labels) -> Keep:
    """True for objects (by number) that are not a well's wall or a dark frame along the image's edge.

    A wall takes nearly all of a side in one go, or it is long and shallow: its chord, from end to end of what
    touches the edge, is at least a fifth of the shorter side, and it fills less than a quarter of the square
    over it. A disc cut in half by an edge fills 0.39 of that square, a quarter of a disc in a corner as much.
    """
    n = int(labels.max()) + 1
    areas = np.bincount(labels.ravel(), minlength=n)
    squared = np.zeros(n, np.int64)
    whole = np.zeros(n, np.bool_)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        contact = _longest_runs(edge, n)
        squared += contact**2
        whole |= contact >= 0.9 * len(edge)
    long = np.sqrt(squared) >= 0.2 * min(labels.shape)
    return np.asarray(~(whole | (long & (areas < squared / 4))))


def _longest_runs(edge: Labels, n: int) -> NDArray[np.int64]:
    """For each number, its longest run of equal neighbours."""
    starts = np.concatenate([[0], np.flatnonzero(edge[1:] != edge[:-1]) + 1])
    longest = np.zeros(n, np.int64)
    np.maximum.at(longest, edge[starts], np.diff(starts, append=len(edge)))
    return longest


def bars(labels: Labels) -> Keep:
    """True for objects (by number) that are not a long, upright or lying, full rectangle: a scale bar."""
    n = int(labels.max()) + 1
    areas = np.bincount(labels.ravel(), minlength=n)
    keep = np.ones(n, np.bool_)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            sides = sorted(side.stop - side.start for side in box)
            keep[number] = sides[1] < 4 * sides[0] or areas[number] < 0.9 * sides[0] * sides[1]
    return keep


def focused(labels: Labels, sharpness: Map) -> Keep:
    """True for objects (by number) with an outline at least a quarter as sharp as the typical one."""
    n = int(labels.max()) + 1
    areas = np.bincount(labels.ravel(), minlength=n)
    areas[0] = 0
    rim = np.zeros(labels.shape, np.bool_)
    rim[1:-1, 1:-1] = (labels[1:-1, 1:-1] != labels[:-2, 1:-1]) | (labels[1:-1, 1:-1] != labels[2:, 1:-1])
    rim[1:-1, 1:-1] |= (labels[1:-1, 1:-1] != labels[1:-1, :-2]) | (labels[1:-1, 1:-1] != labels[1:-1, 2:])
    counts = np.bincount(labels[rim], minlength=n)
    sharp = np.bincount(labels[rim], sharpness[rim], n) / np.maximum(counts, 1)
    return np.asarray(sharp >= _SOFT * weighted_median(sharp, areas))


def certain(labels: Labels, inside: Map, level: float) -> Keep:
    """True for objects (by number) that are nearly sure somewhere: the others are shapes in noise."""
    sure = np.zeros(int(labels.max()) + 1, np.bool_)
    sure[labels[inside >= level + _NEARLY_SURE * (1 - level)]] = True
    sure[0] = True
    return sure


def weighted_median(values: NDArray[Any], weights: NDArray[Any]) -> float:
    """The value at which half of the weight is reached, from the smallest value up."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])
