"""Geometry of a spheroid: a rim of low-frequency waves and single cells, laid on the pixel grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.spec import BodySpec

Floats = NDArray[np.float32]

RIM_SAMPLES = 1024
MARGIN_PX = 14  # the bright halo has faded this far outside the rim
HARMONICS = np.arange(2, 13)
CELL_HEIGHT = 0.45  # of a cell's size: how far a whole cell stands out of the rim


@dataclass(frozen=True, slots=True)
class Shape:
    """A body on the grid of its window ``box`` of the image; every array has the window's shape (Y, X).

    ``depth``: share of the way from the rim (0) to the middle (1), 0 outside. ``edge``: pixels along the ray
    from the middle, negative inside. ``angle``: radians from the middle.
    """

    spec: BodySpec
    box: tuple[slice, slice]
    depth: Floats
    edge: Floats
    angle: Floats


def place(rng: np.random.Generator, spec: BodySpec, shape: tuple[int, int]) -> Shape:
    """Draw a rim for ``spec`` and lay it on an image of ``shape`` (Y, X)."""
    rim = outline(rng, spec)
    box = _window(spec, float(rim.max()), shape)
    x, y = np.meshgrid(_centres(box[1], spec.center[0]), _centres(box[0], spec.center[1]))
    radius, angle = cv2.cartToPolar(x, y)
    nearest = (angle * (RIM_SAMPLES / (2 * np.pi))).astype(np.int32) % RIM_SAMPLES
    reach = rim[nearest]
    depth = np.maximum(0, 1 - radius / reach)
    return Shape(spec, box, depth, radius - reach, angle)


def outline(rng: np.random.Generator, spec: BodySpec) -> Floats:
    """Radii in pixels at RIM_SAMPLES even angles; the area they enclose is that of the wanted diameter."""
    angle = np.linspace(0, 2 * np.pi, RIM_SAMPLES, endpoint=False)
    strength = rng.normal(0, 1, HARMONICS.size) * HARMONICS**-1.3
    phase = rng.uniform(0, 2 * np.pi, HARMONICS.size)
    waves = strength @ np.cos(HARMONICS[:, None] * angle + phase[:, None])
    radius = spec.diameter_px / 2
    # a strongly torn rim may not cross the middle, or the outline would no longer be one ring
    rim = radius * np.maximum(0.3, 1 + 2 * spec.irregularity * waves) + _cells(rng, spec, angle)
    rim *= radius / np.sqrt(np.mean(rim**2))
    return rim.astype(np.float32)


def label_image(shape: tuple[int, int], shapes: Sequence[Shape]) -> NDArray[np.int32]:
    """Label image (Y, X): a pixel belongs to a body when its centre lies inside the rim."""
    labels = np.zeros(shape, np.int32)
    for number, body in enumerate(shapes, start=1):
        window = labels[body.box]
        window[(body.edge < 0) & (window == 0)] = number
    return labels


def _cells(rng: np.random.Generator, spec: BodySpec, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half-round bumps in pixels: the single cells that make up the rim."""
    count = max(6, round(np.pi * spec.diameter_px / spec.cell_px))
    position = angle * (count / (2 * np.pi))
    across = 2 * (position % 1) - 1
    height = rng.uniform(0, CELL_HEIGHT, count) * min(spec.cell_px, spec.diameter_px / 8)
    bumps: NDArray[np.float64] = height[position.astype(int)] * np.sqrt(1 - across**2)
    return bumps


def _window(spec: BodySpec, reach: float, shape: tuple[int, int]) -> tuple[slice, slice]:
    x, y = spec.center
    half = reach + MARGIN_PX
    return _clip(y - half, y + half, shape[0]), _clip(x - half, x + half, shape[1])


def _clip(low: float, high: float, size: int) -> slice:
    """Whole pixels of ``low`` to ``high`` on an image; at least one, also where the body is out of sight."""
    start = min(size - 1, max(0, int(low)))
    return slice(start, min(size, max(start + 1, int(high) + 1)))


def _centres(span: slice, origin: float) -> Floats:
    return np.arange(span.start, span.stop, dtype=np.float32) + np.float32(0.5 - origin)
