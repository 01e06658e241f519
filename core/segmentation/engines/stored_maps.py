"""Store an engine's maps with a result, so that other settings can be tried without running the engine.

Maps are stored with eight bits a pixel. They are rounded so before anything is outlined: outlines made from
stored maps are the same as those made at first.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SegmentationError
from core.segmentation.engines.base import Map, Prediction

_MAPS = ("inside", "core", "second", "sharpness")
_SCALARS = ("speck_px", "waver_px", "standing_out", "core_edge")
_LEVELS = 255


def rounded(prediction: Prediction) -> Prediction:
    """Return the prediction with its maps rounded as ``pack`` stores them."""
    maps: dict[str, Any] = {name: _floats(_bytes(value)) for name, value in _present(prediction)}
    return replace(prediction, **maps)


def pack(prediction: Prediction) -> bytes:
    """Return a prediction as bytes: a compressed NumPy archive."""
    arrays: dict[str, NDArray[np.generic]] = {name: _bytes(value) for name, value in _present(prediction)}
    if prediction.traits is not None:
        arrays["traits"] = prediction.traits
    file = io.BytesIO()
    scalars = {name: getattr(prediction, name) for name in _SCALARS}
    np.savez_compressed(file, allow_pickle=False, **arrays, **scalars)
    return file.getvalue()


def unpack(data: bytes) -> Prediction:
    """Return the prediction that ``pack`` stored.

    Raises:
        SegmentationError: other bytes.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            held = {name: archive[name] for name in archive.files}
        maps = {name: _floats(held[name]) for name in _MAPS if name in held}
        return Prediction(
            **maps,
            traits=held.get("traits"),
            speck_px=int(held["speck_px"]),
            waver_px=float(held["waver_px"]),
            standing_out=float(held.get("standing_out", 0.0)),  # archives of 0.1 do not have these two
            core_edge=float(held.get("core_edge", 0.0)),
        )
    except Exception as error:  # the boundary of a stored file: whatever is wrong with it, segment again
        raise SegmentationError("The stored maps of this image cannot be read. Segment it again.") from error


def _present(prediction: Prediction) -> list[tuple[str, Map]]:
    named = ((name, getattr(prediction, name)) for name in _MAPS)
    return [(name, value) for name, value in named if value is not None]


def _bytes(values: Map) -> NDArray[np.uint8]:
    return np.rint(values * _LEVELS).astype(np.uint8)


def _floats(values: NDArray[np.uint8]) -> Map:
    return values.astype(np.float32) / np.float32(_LEVELS)
