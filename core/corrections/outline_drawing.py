"""A label image into which outlines of a foreign file are drawn, with bounds on the work and memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest
from core.images.label_png import MAX_LABELS
from core.models import Contour, Ring
from core.segmentation.outlines.contours import rasterise

Labels = NDArray[np.int32]
Shape = tuple[int, int]
Points = NDArray[np.float64]
MAX_POINTS = 100_000  # of one outline
MAX_ROWS_CROSSED = 1_000_000  # by one outline: each takes some 60 bytes while it is drawn
MAX_COVER = 16  # boxes of all outlines together, as a multiple of the image; spheroids side by side take 2
_FREE_PIXELS = 1_000_000  # drawn in any case, on however small an image
_OVERLAP = "These outlines lie over each other many times, as those of spheroids do not."


class LabelDrawing:
    """Draws outlines as labels, each within its own box. What lies outside the image is cut off.

    ``labels``: int32 (Y, X), 0 is background; where two outlines overlap the later one wins.
    """

    def __init__(self, shape: Shape, *, by_columns: bool = False) -> None:
        """``by_columns``: lay the labels out column by column, as ``draw_runs`` needs it."""
        self.labels: Labels = np.zeros(shape, np.int32, order="F" if by_columns else "C")
        self._pixels_left = MAX_COVER * shape[0] * shape[1] + _FREE_PIXELS

    def draw(self, number: int, rings: Sequence[Points]) -> None:
        """Draw an outline, (N, 2) as x and y, and leave out its holes, which follow it.

        Raises:
            InvalidRequest: it is no outline, or has too many points; or all are too much to draw.
        """
        outer, *holes = (_checked(ring) for ring in rings)
        height, width = self.labels.shape
        left, top = np.floor(outer.min(axis=0)).clip(0, (width, height)).astype(int).tolist()
        right, bottom = np.ceil(outer.max(axis=0)).clip(0, (width, height)).astype(int).tolist()
        if left >= right or top >= bottom:
            return
        self._count((right - left) * (bottom - top))
        crossed = sum(_rows_crossed(ring[:, 1], top, bottom) for ring in (outer, *holes))
        if crossed > MAX_ROWS_CROSSED:
            raise InvalidRequest("An outline runs to and fro too often to be that of a spheroid.")
        contour = Contour(*_moved(outer, holes, (left, top)))
        inside = rasterise([contour], (bottom - top, right - left)) > 0
        self.labels[top:bottom, left:right][inside] = number

    def draw_runs(self, number: int, runs: NDArray[np.int64]) -> None:
        """Draw runs of background and object by turns, column by column, which fill the image.

        Raises:
            InvalidRequest: they do not fill it, or all are too much to draw.
        """
        if len(runs) and (runs.min() < 0 or runs.max() > self.labels.size):
            raise InvalidRequest("The runs of an annotation do not fill its image.")
        ends = np.cumsum(runs)
        if not len(runs) or ends[-1] != self.labels.size:
            raise InvalidRequest("The runs of an annotation do not fill its image.")
        self._count(int(runs[1::2].sum()))
        flat = self.labels.reshape(-1, order="F")  # a view: by_columns
        for start, end in zip(ends[:-1:2].tolist(), ends[1::2].tolist(), strict=True):
            flat[start:end] = number

    def _count(self, n_pixels: int) -> None:
        self._pixels_left -= n_pixels
        if self._pixels_left < 0:
            raise InvalidRequest(_OVERLAP)


def require_shape(actual: tuple[int, ...], shape: Shape) -> None:
    """Make sure that a mask is of its image's size.

    Raises:
        InvalidRequest: it is not.
    """
    if tuple(actual) != shape:
        size = " x ".join(str(side)[:20] for side in reversed(actual[:4]))
        raise InvalidRequest(f"The mask is {size} pixels, the image {shape[1]} x {shape[0]}.")


def require_labels(count: int) -> None:
    """Make sure that a label image can number so many outlines.

    Raises:
        InvalidRequest: it cannot.
    """
    if count > MAX_LABELS:
        raise InvalidRequest(f"There are {count:,} outlines; an image may have {MAX_LABELS:,}.")


def _checked(ring: Points) -> Points:
    if len(ring) < 3 or not np.isfinite(ring).all() or np.abs(ring).max() > 10**6:
        raise InvalidRequest("An outline has three points at least, near its image.")
    if len(ring) > MAX_POINTS:
        raise InvalidRequest(f"An outline may have {MAX_POINTS:,} points.")
    return ring


def _rows_crossed(y: NDArray[np.float64], top: int, bottom: int) -> float:
    within = y.clip(top, bottom)
    return float(np.abs(within - np.roll(within, -1)).sum())


def _moved(outer: Points, holes: Sequence[Points], origin: tuple[int, int]) -> tuple[Ring, tuple[Ring, ...]]:
    first, *others = (tuple(map(tuple, (ring - origin).tolist())) for ring in (outer, *holes))
    return first, tuple(others)
