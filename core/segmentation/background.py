"""The brightness that an image would have without anything in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.segmentation.engine import Map

_SAMPLES = 96  # along the longer side; a surface with six coefficients needs no more
_ROUNDS = 8
_TILT_ROUNDS = 3  # a plane first: with everything free at once, a large body bends the surface to itself
_BINS = 64


def fit(image: Map, texture: Map) -> tuple[Map, float]:
    """Fit a quadratic surface to the background: uneven light, vignettes.

    Pixels weigh by how smooth their surroundings are, so a field that is mostly bodies still has its
    background found (bodies are textured, medium is not), and by how close they are to the surface of the
    round before.

    Args:
        image: float32 (Y, X), roughly 0..1.
        texture: float32 (Y, X), local standard deviation of the image.

    Returns:
        The surface, float32 (Y, X), and the robust standard deviation of the background around it.
    """
    step = max(1, max(image.shape) // _SAMPLES)
    terms = _terms(*image.shape)
    sampled = terms[::step, ::step].reshape(-1, 6).astype(np.float64)
    values = image[::step, ::step].ravel().astype(np.float64)
    rough = texture[::step, ::step].ravel() / (np.percentile(texture[::step, ::step], 25) + 1e-9)
    coefficients, spread = _fit(sampled, values, 1 / (1 + np.square(rough)))
    return np.asarray(terms @ coefficients.astype(np.float32)), spread


def _terms(rows: int, columns: int) -> Map:
    y, x = np.meshgrid(_centred(rows), _centred(columns), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def _centred(n: int) -> Map:
    return np.linspace(-1, 1, n, dtype=np.float32)


def _fit(
    terms: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Iteratively reweighted least squares (Welsch weights) from the most frequent value on."""
    # Squared, because black bodies are nearly as smooth as the medium.
    residual = values - _mode(values, np.square(weights))
    spread = 0.15 * float(np.percentile(values, 99) - np.percentile(values, 1)) + 1e-9
    coefficients = np.zeros(6)
    for turn in range(_ROUNDS):
        root = np.sqrt(weights * np.exp(-np.square(residual / (2 * spread))) + 1e-6)
        n = 3 if turn < _TILT_ROUNDS else 6
        coefficients[:n] = np.linalg.lstsq(terms[:, :n] * root[:, None], values * root, rcond=None)[0]
        residual = values - terms @ coefficients
        near = np.abs(residual[np.abs(residual) < 3 * spread])
        if len(near):  # shrinks slowly, so that a bad first surface can still move
            spread = max(0.7 * spread, 1.4826 * float(np.median(near)))
    return coefficients, spread


def _mode(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    counts, edges = np.histogram(values, bins=_BINS, weights=weights)
    peak = int(np.convolve(np.pad(counts, 2, mode="edge"), [1, 2, 3, 2, 1], "valid").argmax())
    return float(edges[peak] + edges[peak + 1]) / 2
