"""Smooth random fields, drawn coarse and enlarged: cheap at any size."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def smooth(rng: np.random.Generator, shape: tuple[int, int], grain_px: float) -> NDArray[np.float32]:
    """Zero-mean field (Y, X), standard deviation about 0.7, whose blobs are about ``grain_px`` across."""
    grid = [max(2, round(side / grain_px)) + 1 for side in shape]
    coarse = rng.standard_normal(grid, dtype=np.float32)
    field: NDArray[np.float32] = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return field
