"""Split bodies that touch where they are narrowest."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.engines.base import Map
from core.segmentation.outlines.boundaries import Labels, Mask

# Two bodies are one where the neck between them is wider than this share of the narrower body.
_NECK = 0.8
_REACH = 8  # a cell at most so many cells away from a body is part of its rim
_SMOOTH_PX = 1.0  # takes the pixel staircase out of the distances; its ripples would be peaks


def split(mask: Mask) -> Labels:
    """Return labels of the bodies in a mask, int32 (Y, X); bodies that touch get a number each.

    Every pixel belongs to the peak of the distance to the outline that the steepest way up leads to; then
    peaks are joined where the pass between them is nearly as deep as the lower of the two. Unlike a watershed
    with seeds this needs no size. ``mask``: uint8 (Y, X), 0 or 1.
    """
    if not mask.any():
        return np.zeros(mask.shape, np.int32)
    height = np.where(mask > 0, cv2.GaussianBlur(_distance(mask), (0, 0), _SMOOTH_PX), -1)
    summit = _climb(height, mask)
    is_peak = np.zeros(mask.size, np.bool_)
    is_peak[summit[mask > 0]] = True
    peaks = np.flatnonzero(is_peak)
    number = np.zeros(mask.size, np.int32)
    number[peaks] = np.arange(1, len(peaks) + 1)
    labels = np.where(mask > 0, number[summit], 0)
    return _bodies(labels, height, [0.0, *height.ravel()[peaks].tolist()])[labels]


def join_small(labels: Labels, small: NDArray[np.bool_]) -> Labels:
    """Add parts that are too small to be bodies to the body that they touch: they are its rim.

    ``small``: bool by number. A part that touches no body keeps its number.
    """
    owner = np.arange(len(small), dtype=np.int32)
    waiting = small.copy()
    waiting[0] = False
    pairs = [(i, j) for i, j, _ in _passes(labels, _distance((labels > 0).view(np.uint8)))]
    for _ in range(_REACH):
        touching = [(i, j) for a, b in pairs for i, j in ((a, b), (b, a)) if waiting[i] and not waiting[j]]
        if not touching:
            break
        for i, j in touching:
            if waiting[i]:
                owner[i], waiting[i] = owner[j], False
    return owner[labels]


def _distance(mask: Mask) -> Map:
    """Distance to the outline; the image's edge is none, because bodies go on behind it."""
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1])


def _climb(height: Map, mask: Mask) -> NDArray[np.int64]:
    """The index of the peak above each pixel, going to the highest of the eight neighbours at each step.

    Among equals the walk goes to the later pixel, so a plateau has one peak and no walk turns in a circle.
    """
    rows, columns = height.shape
    padded = np.pad(height, 1, constant_values=-np.inf)
    highest = height.copy()
    offset = np.zeros(height.shape, np.int32)
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        neighbour = padded[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns]
        higher = neighbour >= highest if (dy, dx) > (0, 0) else neighbour > highest
        np.copyto(highest, neighbour, where=higher)
        np.copyto(offset, dy * columns + dx, where=higher)
    target = np.arange(height.size)
    walking = np.flatnonzero(mask)
    target[walking] += offset.ravel()[walking]
    while True:
        further = target[target[walking]]
        if np.array_equal(further, target[walking]):
            return target.reshape(height.shape)
        target[walking] = further


def _bodies(labels: Labels, height: Map, tops: list[float]) -> NDArray[np.int32]:
    """For each basin the number of the body that it is part of: 1..N."""
    body = list(range(len(tops)))

    def root(i: int) -> int:
        while body[i] != i:
            body[i] = body[body[i]]
            i = body[i]
        return i

    for i, j, level in _passes(labels, height):
        low, high = sorted((root(i), root(j)), key=tops.__getitem__)
        if low != high and level > _NECK * tops[low]:
            body[low] = high
    roots = np.array([root(i) for i in range(len(tops))])
    return np.unique(roots, return_inverse=True)[1].astype(np.int32)


def _passes(labels: Labels, height: Map) -> Iterator[tuple[int, int, float]]:
    """Pairs of basins that touch, and the height of the pass between them, from the highest to the lowest."""
    sides = (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])
    corners = (np.s_[1:, 1:], np.s_[:-1, :-1]), (np.s_[1:, :-1], np.s_[:-1, 1:])
    n = int(labels.max()) + 1
    keys, levels = [], []
    for a, b in sides + corners:
        touch = (labels[a] != labels[b]) & (labels[a] > 0) & (labels[b] > 0)
        first_label, second_label = labels[a][touch].astype(np.int64), labels[b][touch].astype(np.int64)
        keys.append(np.minimum(first_label, second_label) * n + np.maximum(first_label, second_label))
        levels.append(np.minimum(height[a][touch], height[b][touch]))
    key, level = np.concatenate(keys), np.concatenate(levels)
    order = np.argsort(-level, kind="stable")
    first = np.sort(np.unique(key[order], return_index=True)[1])
    for index in order[first].tolist():
        yield int(key[index]) // n, int(key[index]) % n, float(level[index])
