"""Grayscale: one value a pixel, of one channel or of all, not rounded."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest

Pixels = NDArray[Any]

_CHANNEL_INDEX = {"red": 0, "green": 1, "blue": 2}
_STRIP = 256  # rows at a time, so that a large colour image is never held as floats twice


CHANNELS = ("brightness", "brightest", "red", "green", "blue")


def grey(pixels: Pixels, channel: str = "brightness") -> Pixels:
    """Return one value a pixel; grey pixels are returned as they are.

    Args:
        pixels: (Y, X), (Y, X, 1), (Y, X, 3) red-green-blue or (Y, X, 4) with an alpha channel, which is
            ignored;
            uint8, uint16 or float32.
        channel: of ``CHANNELS``; for a fluorescence image one channel, or the brightest at each place.

    Returns:
        (Y, X): the dtype of the pixels, but float32 for the brightness of colour: 0.299 R + 0.587 G + 0.114 B
        (ITU-R BT.601), not rounded.

    Raises:
        InvalidRequest: another shape or dtype, or no pixels.
    """
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise InvalidRequest(f"Pixels must be uint8, uint16 or float32, not {pixels.dtype}.")
    if pixels.size == 0 or pixels.ndim not in (2, 3):
        raise InvalidRequest(f"An image must be (Y, X) or (Y, X, channels), not {pixels.shape}.")
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    if pixels.shape[2] not in (3, 4):
        raise InvalidRequest(f"An image has 1, 3 or 4 channels, not {pixels.shape[2]}.")
    if channel == "brightness":
        return _luma(pixels)
    if channel == "brightest":
        return np.asarray(pixels[:, :, :3].max(axis=2))
    return np.ascontiguousarray(pixels[:, :, _CHANNEL_INDEX[channel]])


def _luma(pixels: Pixels) -> NDArray[np.float32]:
    out = np.empty(pixels.shape[:2], np.float32)
    for top in range(0, len(pixels), _STRIP):
        strip = np.ascontiguousarray(pixels[top : top + _STRIP, :, :3], dtype=np.float32)
        cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY, dst=out[top : top + _STRIP])
    return out
