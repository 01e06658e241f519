"""Transmitted light: bright background, bodies that absorb, a dark rim with a bright halo around it."""

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

COARSE = 8  # illumination and wall are smooth: drawn at an eighth and enlarged
CELL = StampStyle(disc=0.3, ring=0.3, spot=-0.55)  # a refracting sphere: dark ring, bright middle
SPECK = StampStyle(disc=0.5, ring=0.0, spot=0.3)
GHOST = StampStyle(disc=0.05, ring=-0.03, spot=0.0)  # dust on another focal plane


def light(rng: np.random.Generator, spec: SceneSpec, shapes: Sequence[Shape]) -> Floats:
    """Light that reaches the objective, (Y, X), about 1 where nothing stands in its way."""
    field = illumination(rng, spec)
    density = np.zeros(spec.shape, np.float32)
    for shape in shapes:
        density[shape.box] += body(rng, shape)
    debris(rng, spec, density)
    density *= -1
    field *= cv2.exp(density)
    return field


def illumination(rng: np.random.Generator, spec: SceneSpec) -> Floats:
    """Lamp, vignette, plate bottom and, where wanted, the well's wall."""
    height, width = spec.shape
    small = (-(-height // COARSE) + 1, -(-width // COARSE) + 1)
    y, x = np.mgrid[-1 : 1 : small[0] * 1j, -1 : 1 : small[1] * 1j].astype(np.float32)
    tilt, vignette = rng.normal(0, 0.03, 2), rng.uniform(0.02, 0.12)
    coarse = 1 + tilt[0] * x + tilt[1] * y - vignette * (x**2 + y**2) / 2
    coarse += 0.02 * smooth(rng, small, small[1] / 3) + 0.012 * smooth(rng, small, small[1] / 9)
    if spec.well_wall:
        coarse *= _wall(rng, x, y)
    field: Floats = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    plate = smooth(rng, spec.shape, 5)
    return np.asarray(cv2.scaleAdd(plate, 0.006, field, dst=field))


def body(rng: np.random.Generator, shape: Shape) -> Floats:
    """Optical density of one spheroid over its window: thickness, cells, core, rim and halo."""
    spec, size = shape.spec, shape.depth.shape
    window = (size[0], size[1])
    inside = shape.depth
    cells = smooth(rng, window, spec.cell_px) + 0.8 * smooth(rng, window, spec.cell_px / 2)
    # a ball's chord is the root of this; scattering takes light sooner, so dark begins close to the rim
    thickness = np.power(inside * (2 - inside), np.float32(0.3))
    # cells show best where little tissue lies above and below them
    density = thickness * (spec.opacity + (0.22 + 0.5 / (1 + spec.opacity)) * 0.55 * cells)
    density += spec.necrosis * np.exp(-(((1 - inside) / 0.55) ** 2)) * (inside > 0)
    optical: Floats = density + _rim(rng, shape)
    return optical


def debris(rng: np.random.Generator, spec: SceneSpec, density: Floats) -> None:
    """Add loose cells and specks to an optical density, in place."""
    cell = spec.bodies[0].cell_px if spec.bodies else 6.0
    kinds = stamps(rng, (0.35 * cell, 0.6 * cell), CELL)
    paste(rng, density, kinds, scatter(rng, spec.bodies, spec.loose_cells, spec.shape))
    paste(rng, density, stamps(rng, (0.5, 1.6), SPECK), anywhere(rng, spec.specks, spec.shape))
    paste(rng, density, stamps(rng, (4, 12), GHOST), anywhere(rng, 2 + spec.specks // 8, spec.shape))


def _rim(rng: np.random.Generator, shape: Shape) -> Floats:
    """The curved edge acts as a lens: light is bent away from the rim into a broken halo around it."""
    window = (shape.edge.shape[0], shape.edge.shape[1])
    grain = 1 + 0.4 * smooth(rng, window, shape.spec.cell_px)
    uneven = 1 + 0.6 * smooth(rng, window, shape.spec.diameter_px / 3)
    rim = _line(shape.edge, -1.8, 1.7, 0.7) * grain
    rim -= _line(shape.edge, 3.0, 2.6, 0.07) * np.maximum(0, grain * uneven)
    return rim


def _line(edge: Floats, middle_px: float, width_px: float, height: float) -> Floats:
    """A Gaussian ridge along the rim, by distance from it."""
    line: Floats = height * cv2.exp(-(((edge - middle_px) / width_px) ** 2))
    return line


def _wall(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    """Transmission of a round wall whose arc cuts off a side: bright line, then dark plastic."""
    turn, radius = rng.uniform(0, 2 * np.pi), rng.uniform(1.7, 2.6)
    reach = rng.uniform(0.85, 1.0)  # of half a frame: where the arc stands
    distance = np.hypot(x - (reach - radius) * np.cos(turn), y - (reach - radius) * np.sin(turn)) - radius
    wall: Floats = 1 - 0.65 / (1 + np.exp(-(distance - 0.06) / 0.035))
    wall += 0.12 * np.exp(-((distance / 0.03) ** 2))
    return wall
