"""Convex hulls of objects: area, perimeter and Feret diameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation import ragged
from core.segmentation.outlines.boundaries import Points
from core.segmentation.ragged import Ints

_DIAMOND = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]], np.int32)
_ON_THE_LINE = 1e-9  # px; a pixel's centre this close to the hull's edge lies on it


@dataclass(frozen=True, slots=True)
class Hull:
    """Measures of one convex hull: px² and px."""

    area: int
    perimeter: float
    feret_max: float
    feret_min: float


def hulls(pixels: Sequence[Points]) -> list[Hull]:
    """Measure the convex hull of each object.

    ``area`` counts the pixels of ``skimage.morphology.convex_hull_image``: those whose centres lie in the
    hull of the object's pixels' edge middles. ``perimeter`` is the Crofton perimeter of those pixels:
    measured as the object's own, so that a convex object's convexity is 1. The Ferets are the greatest and
    the least caliper width of the hull of the pixels' corners, so that a square of 90 x 90 pixels is 90 wide.

    Args:
        pixels: an object's outermost pixels as (x, y) int32 (N, 2), counted from the object's box.
    """
    corners = [cv2.convexHull(points)[:, 0] for points in pixels]
    ferets = [_calipers(hull.astype(np.float64)) for hull in corners]
    areas, perimeters = _filled([_diamonds(hull) for hull in corners])
    return [Hull(a, p, *f) for a, p, f in zip(areas, perimeters, ferets, strict=True)]


def _calipers(hull: NDArray[np.float64]) -> tuple[float, float]:
    """Greatest and least width of the hull of the unit squares around a convex polygon's points.

    A square widens the difference of two points by 1 in x and in y, and the width in a direction (u, v) by
    abs(u) + abs(v). The least width lies across one of the polygon's sides, or across a side of the squares.
    """
    differences = np.abs(hull[:, None] - hull) + 1
    largest = math.sqrt(float(np.einsum("ijk,ijk->ij", differences, differences).max()))
    smallest = float((hull.max(axis=0) - hull.min(axis=0)).min()) + 1
    if len(hull) > 1:
        along = np.concatenate([hull[1:], hull[:1]]) - hull
        across = (along[:, ::-1] * (-1, 1)) @ hull.T
        widths = across.max(axis=1) - across.min(axis=1) + np.abs(along).sum(axis=1)
        smallest = min(smallest, float((widths / np.hypot(along[:, 0], along[:, 1])).min()))
    return largest, smallest


def _diamonds(hull: Points) -> Points:
    """Hull of the middles of the edges of the pixels at a hull's points, in half pixels."""
    middles = (2 * hull[:, None] + _DIAMOND).reshape(-1, 2)
    return np.asarray(cv2.convexHull(middles)[:, 0])


def _filled(polygons: Sequence[Points]) -> tuple[list[int], list[float]]:
    """Area and Crofton perimeter of the pixels with centres in each convex polygon, given in half pixels."""
    left, right, row, start = _rows(polygons)
    owner = ragged.owners(start)
    not_empty = right >= left
    left, right, row, owner = left[not_empty], right[not_empty], row[not_empty], owner[not_empty]
    n = len(polygons)
    area = np.bincount(owner, right - left + 1, n)
    # A line that meets a convex set of pixels enters it once, so lines are counted: rows, columns, both
    # diagonals.
    straight = np.bincount(owner, minlength=n) + _covered(left, right, owner, n)
    slanted = _covered(left + row, right + row, owner, n) + _covered(left - row, right - row, owner, n)
    perimeter = math.pi / 4 * (straight + slanted / math.sqrt(2))
    return area.astype(int).tolist(), perimeter.tolist()


def _rows(polygons: Sequence[Points]) -> tuple[Ints, Ints, Ints, Ints]:
    """First and last column in each polygon by row, the rows, and where each polygon's rows start."""
    x, y = (np.concatenate(polygons) / 2).T
    corner = ragged.starts([len(polygon) for polygon in polygons])
    after = ragged.successors(corner)
    highest = np.ceil(np.minimum.reduceat(y, corner[:-1])).astype(np.int64)
    lowest = np.floor(np.maximum.reduceat(y, corner[:-1])).astype(np.int64)
    start = ragged.starts(lowest - highest + 1)
    # A side crosses the rows r with low <= r < high, so each row is crossed once going down and once going
    # up.
    first = np.ceil(np.minimum(y, y[after])).astype(np.int64)
    crossed = ragged.starts(np.ceil(np.maximum(y, y[after])).astype(np.int64) - first)
    side = ragged.owners(crossed)
    row = first[side] + ragged.places(crossed)
    at = x[side] + (row - y[side]) * (x[after] - x)[side] / (y[after] - y)[side]
    owner = ragged.owners(corner)[side]
    ends = np.empty((2, start[-1]))
    ends[(y[after] > y)[side].astype(np.int64), start[owner] + row - highest[owner]] = at
    left = np.ceil(ends.min(axis=0) - _ON_THE_LINE).astype(np.int64)
    right = np.floor(ends.max(axis=0) + _ON_THE_LINE).astype(np.int64)
    return left, right, ragged.places(start) + highest[ragged.owners(start)], start


def _covered(first: Ints, last: Ints, owner: Ints, n: int) -> Ints:
    """For each of n owners, how many whole numbers lie in at least one of its ranges first..last."""
    apart = owner * (last.max() - first.min() + 2)  # keeps the ranges of different owners from touching
    first, last = first + apart, last + apart
    order = np.argsort(first, kind="stable")
    first, last, owner = first[order], last[order], owner[order]
    before = np.maximum.accumulate(np.concatenate([first[:1] - 1, last[:-1]]))
    new = np.maximum(last - np.maximum(before, first - 1), 0)
    return np.bincount(owner, new, n).astype(np.int64)
