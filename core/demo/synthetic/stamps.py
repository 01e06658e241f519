"""Small things that lie about a well: loose cells and specks, pasted from a few drawn stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.spec import BodySpec

Floats = NDArray[np.float32]
Points = NDArray[np.int64]  # (N, 2) columns and rows

STAMPS = 6  # kinds of each: repeats do not show, as their places and overlaps differ
SPREAD = 0.55  # of a body's radius: how far its loose cells drift, as an exponential's mean


@dataclass(frozen=True, slots=True)
class StampStyle:
    """Profile of a stamp across its radius: a disc's level, plus a ring at the rim, plus a central spot."""

    disc: float
    ring: float
    spot: float


def scatter(
    rng: np.random.Generator, bodies: Sequence[BodySpec], count: int, shape: tuple[int, int]
) -> Points:
    """Places for loose cells: two in three shed around the bodies' rims, the rest anywhere."""
    places = anywhere(rng, count, shape)
    if not bodies:
        return places
    shed = rng.random(count) < 2 / 3
    body_indices = rng.integers(0, len(bodies), count)
    angle, drift = rng.uniform(0, 2 * np.pi, count), 1 + rng.exponential(SPREAD, count)
    for row in np.flatnonzero(shed):
        body = bodies[body_indices[row]]
        reach = body.diameter_px / 2 * drift[row] + body.cell_px / 2
        places[row, 0] = round(body.center[0] + reach * np.cos(angle[row]))
        places[row, 1] = round(body.center[1] + reach * np.sin(angle[row]))
    return places


def anywhere(rng: np.random.Generator, count: int, shape: tuple[int, int]) -> Points:
    """``count`` places spread evenly over an image of ``shape`` (Y, X)."""
    return np.stack([rng.integers(0, shape[1], count), rng.integers(0, shape[0], count)], axis=1)


def stamps(rng: np.random.Generator, radius_px: tuple[float, float], style: StampStyle) -> list[Floats]:
    """STAMPS square, odd-sized patches whose radii are drawn from ``radius_px`` (least, greatest)."""
    return [_stamp(rng, radius, style) for radius in rng.uniform(*radius_px, STAMPS)]


def paste(rng: np.random.Generator, image: Floats, kinds: Sequence[Floats], places: Points) -> None:
    """Add a random stamp at every place, in place; what falls outside the image is cut off."""
    height, width = image.shape
    for (x, y), stamp_index in zip(
        places.tolist(), rng.integers(0, len(kinds), len(places)).tolist(), strict=True
    ):
        patch = kinds[stamp_index]
        half = patch.shape[0] // 2
        top, left = max(0, y - half), max(0, x - half)
        bottom, right = min(height, y + half + 1), min(width, x + half + 1)
        if top < bottom and left < right:
            image[top:bottom, left:right] += patch[
                top - y + half : bottom - y + half, left - x + half : right - x + half
            ]


def _stamp(rng: np.random.Generator, radius: float, style: StampStyle) -> Floats:
    half = int(radius + 3)
    axis = np.arange(-half, half + 1, dtype=np.float32)
    stretch, turn = rng.uniform(0.88, 1.14), rng.uniform(0, np.pi)
    across = axis * np.cos(turn) + axis[:, None] * np.sin(turn)
    along = axis[:, None] * np.cos(turn) - axis * np.sin(turn)
    distance = np.hypot(across * stretch, along / stretch)
    level = rng.uniform(0.3, 1.2)
    profile = style.disc / (1 + np.exp((distance - radius) * 2.5))
    profile += style.ring * np.exp(-(((distance - radius) / 0.9) ** 2))
    profile += style.spot * np.exp(-((distance / (0.55 * radius)) ** 2))
    stamp: Floats = (level * profile).astype(np.float32)
    return stamp
