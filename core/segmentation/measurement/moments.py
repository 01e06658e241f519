"""Area, centroid and ellipse of equal second moments, computed from an object's edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.segmentation import ragged
from core.segmentation.outlines.boundaries import LEFT, RIGHT, Edges
from core.segmentation.ragged import Ints


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Area in px², centroid in px from the centre of the box's first pixel, axes in px.

    ``minor`` is exactly 0 for pixels on one line, and both axes are for one pixel.
    """

    area: int
    x: float
    y: float
    major: float
    minor: float


def ellipses(edges: Edges, start: Ints) -> list[Ellipse]:
    """Return the ellipse with each object's second moments.

    As in scikit-image: pixels are points, an axis is 4·√eigenvalue. A row of pixels from a to b adds
    ``f(b) - f(a - 1)`` to a sum, so each left or right edge has its own share of it, and holes
    take themselves out.

    Args:
        edges: outer rings and holes of all objects, x and y counted from the object's box.
        start: where each object's edges start, and where the last one's end.
    """
    sign = (edges.side == RIGHT).astype(np.int64) - (edges.side == LEFT)
    y = edges.y
    end = edges.x + (edges.side == RIGHT)  # of the row's pixels, 0..end-1 lie left of the edge
    count, line = sign * end, sign * (end * (end - 1) // 2)
    square = sign * ((end - 1) * end * (2 * end - 1) // 6)
    moments = (
        ragged.sums(m, start).tolist() for m in (count, line, count * y, square, line * y, count * y * y)
    )
    return [_ellipse(*sums) for sums in zip(*moments, strict=True)]


def _ellipse(n: int, x: int, y: int, xx: int, xy: int, yy: int) -> Ellipse:
    # Whole numbers as far as they go: a line's minor axis must be 0, not what rounding leaves of it.
    a, b, c = n * xx - x * x, n * xy - x * y, n * yy - y * y
    larger = (a + c + math.hypot(a - c, 2 * b)) / 2
    smaller = (a * c - b * b) / larger if larger else 0.0
    return Ellipse(n, x / n, y / n, 4 * math.sqrt(larger) / n, 4 * math.sqrt(smaller) / n)
