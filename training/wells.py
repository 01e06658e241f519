"""Wells seen whole, with a body inside: thick dark walls, round to square, facets and straight bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic import BodySpec

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

FILLED = (0.07, 0.95)  # the body's diameter as a share of the lumen's
NEARLY = 0.35  # of wells: their body is as small, or as large, as any: the ends of FILLED are the hardest
LEAST = 0.06  # smallest radius of a well as a share of the field, where its body fits
WIDEST, WIDE = 0.27, 0.6  # greatest radius of a well as a share of the field: of most, and of a few
FEW_WIDE = 0.2
EMPTY = 0.25  # of scenes that have an empty well, too


@dataclass(frozen=True, slots=True)
class Well:
    """``center`` (x, y) and ``radius``: of the lumen, in pixels; ``power``: 2 is round, 8 nearly square."""

    center: tuple[float, float]
    radius: float
    power: float
    turn: float


def draw(rng: np.random.Generator, density: Floats, labels: Labels, bodies: Sequence[BodySpec]) -> None:
    """Add a well around each body to an optical density (Y, X), in place; bodies themselves stay."""
    size = density.shape[0]
    power = 2.0 if rng.random() < 0.6 else float(rng.uniform(2.5, 9))
    turn = float(rng.normal(0, 0.1) if rng.random() < 0.7 else rng.uniform(0, np.pi / 2))
    wells = [_around(rng, body, bodies, size, power, turn) for body in bodies]
    if not wells or rng.random() < EMPTY:
        radius = float(rng.uniform(0.06, 0.25)) * size
        wells.append(Well((float(rng.uniform(0, size)), float(rng.uniform(0, size))), radius, power, turn))
    free = (labels == 0).astype(np.float32)
    for well in wells:
        density += _walls(rng, well, size) * free


def _around(
    rng: np.random.Generator,
    body: BodySpec,
    others: Sequence[BodySpec],
    size: int,
    power: float,
    turn: float,
) -> Well:
    """A well that holds one body anywhere in its lumen, and none of its neighbours."""
    fits = 0.52 * body.diameter_px
    apart = [np.hypot(*np.subtract(body.center, other.center)) for other in others if other is not body]
    cap = (WIDE if rng.random() < FEW_WIDE else WIDEST) * size
    widest = max(fits, min(cap, 0.5 * min(apart, default=2.0 * size)))
    least = max(fits, min(LEAST * size, widest))
    radius = float(np.clip(body.diameter_px / 2 / _filled(rng), least, widest))
    away = (radius - fits) * np.sqrt(rng.random()) * rng.uniform(0, 1)
    way = rng.uniform(0, 2 * np.pi)
    x, y = body.center
    return Well((float(x + away * np.cos(way)), float(y + away * np.sin(way))), radius, power, turn)


def _filled(rng: np.random.Generator) -> float:
    """Draw the body's diameter as a share of the lumen's."""
    if rng.random() < NEARLY:
        return float(rng.uniform(FILLED[0], 0.2) if rng.random() < 0.4 else rng.uniform(0.75, FILLED[1]))
    return float(rng.uniform(*FILLED))


def _walls(rng: np.random.Generator, well: Well, size: int) -> Floats:
    """Optical density (Y, X) of a well without what is in it."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    u = np.cos(well.turn) * (x - well.center[0]) + np.sin(well.turn) * (y - well.center[1])
    v = np.cos(well.turn) * (y - well.center[1]) - np.sin(well.turn) * (x - well.center[0])
    reach = (np.abs(u) ** well.power + np.abs(v) ** well.power) ** (1 / well.power)
    away = reach - well.radius
    thick = float(np.exp(rng.uniform(np.log(0.006), np.log(0.09)))) * size + 0.5
    height = rng.uniform(0.6, 3.5)
    if rng.random() < 0.5:  # flat with steep sides
        steep = rng.uniform(1, 4)
        wall = height / (1 + np.exp(-np.clip(steep * away, -30, 30)))
        wall /= 1 + np.exp(np.clip(steep * (away - thick), -30, 30))
    else:
        wall = height * np.exp(-(((away - thick / 2) / (thick / 2)) ** 2))
    wall += rng.uniform(-0.15, 0.3) * (away < 0)
    if rng.random() < 0.4:  # plastic between wells
        wall += rng.uniform(-0.2, 0.6) * (away > thick)
    if rng.random() < 0.7:
        wall += _facets(rng, well, u, v, away)
    if rng.random() < 0.5:
        wall += _bands(rng, well.radius + thick, size, u if rng.random() < 0.5 else v)
    return np.asarray(wall, dtype=np.float32)


def _facets(rng: np.random.Generator, well: Well, u: Floats, v: Floats, away: Floats) -> Floats:
    """Four slopes from the wall down to a floor, each in a shade of its own, and the edges between them."""
    slope = (away < 0) & (away > -well.radius * rng.uniform(0.3, 1.0))
    side = (np.abs(u) > np.abs(v)).astype(np.int64) * 2 + (np.where(np.abs(u) > np.abs(v), u, v) > 0)
    shades = rng.uniform(-0.12, 0.2, 4)[side]
    width = rng.uniform(0.7, 4.0)
    edge = np.exp(-(((np.abs(u) - np.abs(v)) / width) ** 2))
    return np.asarray((shades + rng.uniform(-0.3, 0.7) * edge) * slope, dtype=np.float32)


def _bands(rng: np.random.Generator, reach: float, size: int, across: Floats) -> Floats:
    """Straight bands beside a well, from one side of the field to the other."""
    bands = np.zeros(across.shape, np.float32)
    for side in rng.permutation([-1, 1])[: rng.integers(1, 3)]:
        middle = side * (reach + rng.uniform(0.01, 0.15) * size)
        width = rng.uniform(0.004, 0.04) * size + 0.5
        bands += rng.uniform(0.2, 1.6) * np.exp(-(((across - middle) / width) ** 2))
    return bands
