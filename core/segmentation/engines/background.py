"""The brightness that an image would have without anything in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.segmentation.engines.base import Map

Floats = NDArray[np.float64]

_SAMPLES = 96  # along the longer side; a surface with six coefficients needs no more
_ROUNDS = 8
_TILT_ROUNDS = 3  # a plane first: with everything free at once, a large body bends the surface to itself
_BINS = 64


def fit(image: Map, texture: Map, start: float | None = None) -> tuple[Map, float]:
    """Fit a quadratic surface to the background: uneven light, vignettes.

    Pixels weigh by how smooth their surroundings are, so a field that is mostly bodies still has its
    background found (bodies are textured, medium is not), and by how close they are to the surface of the
    round before.

    Args:
        image: float32 (Y, X), roughly 0..1.
        texture: float32 (Y, X), local standard deviation of the image.
        start: the background's brightness, roughly; the most frequent one among smooth pixels where None.

    Returns:
        The surface, float32 (Y, X), and the robust standard deviation of the background around it.
    """
    step = max(1, max(image.shape) // _SAMPLES)
    y, x = _centred(image.shape[0]), _centred(image.shape[1])
    values = image[::step, ::step].ravel().astype(np.float64)
    rough = texture[::step, ::step].ravel().astype(np.float64)
    weights = 1 / (1 + np.square(rough / (np.percentile(rough, 25) + 1e-9)))
    # Squared, because black bodies are nearly as smooth as the medium.
    level = _mode(values, np.square(weights)) if start is None else start
    c, spread = _fit(_terms(y[::step], x[::step]), values, weights, level)
    row, column = c[2] * y + c[5] * y**2, c[0] + c[1] * x + c[3] * x**2
    surface = row[:, None] + column + c[4] * y[:, None] * x
    return surface.astype(np.float32), spread


def _centred(n: int) -> Floats:
    return np.linspace(-1, 1, n)


def _terms(y: Floats, x: Floats) -> Floats:
    rows, columns = (grid.ravel() for grid in np.meshgrid(y, x, indexing="ij"))
    return np.stack([np.ones_like(rows), columns, rows, columns**2, columns * rows, rows**2], axis=1)


def _fit(terms: Floats, values: Floats, weights: Floats, level: float) -> tuple[Floats, float]:
    """Iteratively reweighted least squares with Welsch weights, from a level surface on."""
    residual = values - level
    spread = 0.15 * float(np.percentile(values, 99) - np.percentile(values, 1)) + 1e-9
    c = np.zeros(6)
    for iteration in range(_ROUNDS):
        weighted = terms * (weights * np.exp(-np.square(residual / (2 * spread))) + 1e-6)[:, None]
        n = 3 if iteration < _TILT_ROUNDS else 6
        normal = weighted[:, :n].T @ terms[:, :n] + 1e-9 * np.eye(n)  # an image of one row has no tilt in y
        c[:n] = np.linalg.solve(normal, weighted[:, :n].T @ values)
        residual = values - terms @ c
        near = np.abs(residual[np.abs(residual) < 3 * spread])
        if len(near):  # shrinks slowly, so that a bad first surface can still move
            spread = max(0.7 * spread, 1.4826 * float(np.median(near)))
    return c, spread


def _mode(values: Floats, weights: Floats) -> float:
    counts, edges = np.histogram(values, bins=_BINS, weights=weights)
    peak = int(np.convolve(np.pad(counts, 2, mode="edge"), [1, 2, 3, 2, 1], "valid").argmax())
    return float(edges[peak] + edges[peak + 1]) / 2
