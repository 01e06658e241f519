"""Contours of a label image, and back: contours drawn again give exactly the same labels.

An outline runs through the middles of the edges between object and background, so it stays at least √2/4 px
away from every pixel's centre. Leaving points out moves it by less than that, so no centre changes sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import SegmentationError
from core.models import Contour, Ring
from core.segmentation import ragged
from core.segmentation.outlines.boundaries import Labels, OutlinedObject, edges, find

# OpenCV moves a line by at most this, and by at most 1/√2 of it again when it drops points of its own result:
# together 0.341 px, below √2/4 = 0.354 px.
_TOLERANCE_PX = 0.2


def contours(labels: Labels) -> list[Contour]:
    """Outline every object, ordered by number.

    Args:
        labels: int32 (Y, X), 0 is background; each object's pixels connect, at least diagonally.

    Raises:
        SegmentationError: an object is in several parts.
    """
    return contours_of(find(labels))


def contours_of(objects: Sequence[OutlinedObject]) -> list[Contour]:
    """Outline objects that ``boundaries.find`` found; as ``contours``."""
    for item in objects:
        if len(item.outer) > 1:
            raise SegmentationError(
                f"Object {item.number} is in {len(item.outer)} parts; a contour outlines one."
            )
    if not objects:
        return []
    rings = iter(_thin_all(objects))
    return [Contour(next(rings), tuple(islice(rings, len(item.holes)))) for item in objects]


def rasterise(shapes: Sequence[Contour], shape: tuple[int, int]) -> Labels:
    """Draw contours: a pixel belongs to the contour that its centre lies in; its holes are left out.

    Args:
        shapes: drawn as 1, 2, ...; where two overlap the later one wins. What lies outside the frame is cut
            off.
        shape: (Y, X) of the result.

    Returns:
        int32 (Y, X), 0 is background.
    """
    labels = np.zeros(shape, np.int32)
    for number, contour in enumerate(shapes, start=1):
        _draw(contour, labels, number)
    return labels


def _thin_all(objects: Sequence[OutlinedObject]) -> Iterator[Ring]:
    """Yield each object's outer ring, then its holes, without the points that can be left out."""
    walks = edges([ring for item in objects for ring in item.outer + item.holes])
    points = walks.midpoints.astype(np.float32)  # halves, so exact below 2²³ px
    spans = pairwise(walks.start.tolist())
    for item in objects:
        corner = np.array([item.box[1].start, item.box[0].start], np.float32)
        for _ in range(1 + len(item.holes)):
            first, last = next(spans)
            few = cv2.approxPolyDP(points[first:last, None], _TOLERANCE_PX, closed=True)[:, 0] + corner
            yield tuple(map(tuple, few.tolist()))


def _draw(contour: Contour, labels: Labels, number: int) -> None:
    xs, ys = zip(*contour.outer, strict=True)
    left, right = max(0, math.floor(min(xs))), min(labels.shape[1], math.ceil(max(xs)))
    top, bottom = max(0, math.floor(min(ys))), min(labels.shape[0], math.ceil(max(ys)))
    if left >= right or top >= bottom:
        return
    flips = np.zeros((bottom - top, right - left + 1), np.uint8)
    for ring in (contour.outer, *contour.holes):
        _cross(np.array(ring) - (left, top), flips)
    inside = np.bitwise_xor.accumulate(flips, axis=1)[:, :-1]
    labels[top:bottom, left:right][inside.view(np.bool_)] = number


def _cross(ring: NDArray[np.float64], flips: NDArray[np.uint8]) -> None:
    """Flip each row's first pixel with its centre to the right of where the ring crosses that row."""
    x, y = ring[:, 0], ring[:, 1]
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    # A row is crossed where low <= its centre < high: a point on a row's centre counts once, not twice.
    first = np.ceil(np.minimum(y, next_y) - 0.5).astype(np.int64).clip(0, len(flips))
    last = np.ceil(np.maximum(y, next_y) - 0.5).astype(np.int64).clip(0, len(flips))
    crossed = ragged.starts(last - first)
    side = ragged.owners(crossed)
    row = first[side] + ragged.places(crossed)
    slope = (next_x[side] - x[side]) / (next_y[side] - y[side])
    at = x[side] + (row + 0.5 - y[side]) * slope
    column = np.ceil(at - 0.5).astype(np.int64).clip(0, flips.shape[1] - 1)
    np.bitwise_xor.at(flips, (row, column), 1)
