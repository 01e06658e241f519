"""The arrays that test images are made from, and the way to the real image sets."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[np.generic]


def datasets() -> Path:
    """Return the folder of the real image sets; skip the test where they are not beside the checkout."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "datasets"
    folder = Path(os.environ.get("SPHEROSCOPE_DATASETS", beside))
    if not folder.is_dir():
        pytest.skip(f"no image sets at {folder}; set SPHEROSCOPE_DATASETS")
    return folder


def noise(shape: tuple[int, ...] = (37, 53), dtype: str = "uint8", seed: int = 7) -> Array:
    """Return pixels that use the whole range of ``dtype``, so that any loss of bits shows."""
    rng = np.random.default_rng(seed)
    if np.issubdtype(np.dtype(dtype), np.floating):
        return rng.normal(0, 1000, shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def spheroid(shape: tuple[int, int] = (64, 64), dtype: str = "uint16", inside: int = 900) -> Array:
    """Return a dark disc on a bright, slightly uneven ground."""
    y, x = np.indices(shape)
    disc = np.hypot(y - shape[0] / 2, x - shape[1] / 2) < min(shape) / 4
    return np.where(disc, inside, 3 * inside + x + y).astype(dtype)
