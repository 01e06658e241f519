"""Light of the ladders: turbid bodies, refraction at their edges, a round aperture, counted photons.

None of it is the training's formula: transmission is 1 / (1 + o), as of a layer that scatters, not exp(-o);
edges come from the curvature of the thickness (transport of intensity), not from drawn ridges; a lens out of
focus spreads each point over a disc, not a Gaussian; photons are drawn from their own distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.ladders.fields import Floats, Mask, cells, rim_distance, texture

REFRACTION = 0.5  # how strongly curved edges bend light
PHOTONS = 20_000.0  # a bright pixel's
EDGE = 0.12  # of the diameter, over which a body's thickness rises to most of its own


@dataclass(frozen=True, slots=True)
class Matter:
    """How a body looks. ``strength``: how much light it scatters away, 0.2 pale, 4 black.

    ``grain``: contrast of its cells, which are ``cell_px`` wide. ``refraction``: of its edge.
    """

    strength: float = 2.0
    grain: float = 0.25
    cell_px: float = 7.0
    refraction: float = REFRACTION


def lamp(rng: np.random.Generator, side: int, gradient: float = 0.0) -> Floats:
    """Light (side, side) without anything in it, 1 on average; ``gradient``: its change over the field."""
    turn = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-0.5 : 0.5 : side * 1j, -0.5 : 0.5 : side * 1j]
    ramp = 1 + gradient * (x * np.cos(turn) + y * np.sin(turn))
    uneven = 1 + 0.01 * texture(rng, side, side / 4) + 0.004 * texture(rng, side, 4)
    return np.asarray(np.maximum(ramp, 0.02) * uneven, dtype=np.float32)


def opacity(rng: np.random.Generator, mask: Mask, matter: Matter) -> Floats:
    """How much light a body scatters away at each place, (Y, X): 0 outside."""
    diameter = 2 * float(np.sqrt(np.count_nonzero(mask) / np.pi))
    depth = np.maximum(rim_distance(mask), 0)
    thickness = 1 - np.exp(-depth / (EDGE * diameter / 2 + 1))
    packed = cells(rng, mask.shape[0], matter.cell_px) - 0.4
    patches = 1 + 0.1 * texture(rng, mask.shape[0], 0.2 * diameter)
    grainy = thickness * matter.strength * patches + matter.grain * packed
    return np.asarray(np.maximum(grainy, -0.5) * mask, dtype=np.float32)


def refracted(mask: Mask, amount: float) -> Floats:
    """Factor on the light around an edge: dark inside it, bright outside, (Y, X)."""
    depth = np.maximum(rim_distance(mask), 0)
    bulge = cv2.GaussianBlur(np.minimum(depth, 12), (0, 0), 2.0)
    return np.asarray(1 + amount * cv2.Laplacian(bulge, cv2.CV_32F, ksize=3) * 0.5, dtype=np.float32)


def through(light: Floats, scattered: Floats) -> Floats:
    """Light that is left."""
    return np.asarray(light / (1 + np.maximum(scattered, -0.6)), dtype=np.float32)


def defocus(light: Floats, sigma_px: float) -> Floats:
    """Spread each point over a disc whose standard deviation is ``sigma_px`` along either axis."""
    radius = 2 * sigma_px
    if radius < 0.7:
        return light
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101))


def photographed(
    rng: np.random.Generator, light: Floats, bits: int = 12, photons: float = PHOTONS, used: float = 0.7
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Counts of a camera; light of 1 gives ``photons`` and fills ``used`` of its range."""
    counted = rng.poisson(np.maximum(light, 0) * photons) + rng.normal(0, 5, light.shape)
    top = 2**bits - 1
    counts = np.clip(np.rint(counted / photons * used * top + 0.01 * top), 0, top)
    return counts.astype(np.uint8) if bits == 8 else counts.astype(np.uint16)
