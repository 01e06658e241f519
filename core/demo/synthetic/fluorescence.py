"""Emitted light: bodies, loose cells and glow on black."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.noise import smooth
from core.demo.synthetic.shapes import Shape
from core.demo.synthetic.spec import SceneSpec
from core.demo.synthetic.stamps import StampStyle, anywhere, paste, scatter, stamps

Floats = NDArray[np.float32]

COARSE = 8
CELL = StampStyle(disc=0.25, ring=0.0, spot=0.3)
SPECK = StampStyle(disc=0.12, ring=0.0, spot=0.2)


def light(rng: np.random.Generator, spec: SceneSpec, shapes: Sequence[Shape]) -> Floats:
    """Light that reaches the objective, (Y, X): 0 where nothing glows, about 1 at the brightest cells."""
    emitted = np.zeros(spec.shape, np.float32)
    for shape in shapes:
        emitted[shape.box] += body(rng, shape)
    cell = spec.bodies[0].cell_px if spec.bodies else 6.0
    kinds = stamps(rng, (0.35 * cell, 0.6 * cell), CELL)
    paste(rng, emitted, kinds, scatter(rng, spec.bodies, spec.loose_cells, spec.shape))
    paste(rng, emitted, stamps(rng, (0.5, 1.5), SPECK), anywhere(rng, spec.specks, spec.shape))
    return emitted + glow(emitted)


def body(rng: np.random.Generator, shape: Shape) -> Floats:
    """Emission of one spheroid over its window: bright outer cells, a core that the light does not leave."""
    spec, inside = shape.spec, shape.depth
    window = (inside.shape[0], inside.shape[1])
    cells = smooth(rng, window, spec.cell_px) + 0.7 * smooth(rng, window, spec.cell_px / 2)
    thickness = np.minimum(1, -shape.edge / spec.cell_px)  # one layer of cells already shines fully
    shade = 1 - min(0.9, spec.necrosis + 0.2 * spec.opacity) * np.minimum(1, 1.6 * inside)
    emitted: Floats = np.maximum(0, thickness) * shade * np.clip(0.62 + 0.3 * cells, 0.08, 1.4)
    return emitted


def glow(emitted: Floats) -> Floats:
    """Out-of-focus light: a wide, weak copy of the scene."""
    height, width = emitted.shape
    size = (-(-width // COARSE), -(-height // COARSE))
    small = cv2.GaussianBlur(cv2.resize(emitted, size, interpolation=cv2.INTER_AREA), (0, 0), 3)
    wide: Floats = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return 0.1 * wide + 0.004
