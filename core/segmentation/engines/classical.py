"""The named baseline engine: what stands out from a flattened background, in brightness or in texture.

It has no learned weights. Every step is relative to the image's own contrast and noise, so that bit depth,
exposure and inversion change nothing. Constants were chosen on the image sets of the project, all sets with
the same ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.engines.base import Map, Prediction
from core.segmentation.engines.contrast import (
    GAMMA,
    NOISE_FLOOR,
    SPECK,
    flatten,
    frame_level,
    is_only_frame,
    otsu,
    root,
)
from core.segmentation.grayscale import Pixels
from core.segmentation.params import SegmentationParams

VERSION = "2"

# Texture makes outlines ragged, and raggedness reads as a lower circularity: on the mls11 set its median was
# 0.57 without this blur and is 0.65 with it, where the masks have 0.77. Wider ones shrink small bodies.
_WAVER_PX = 1.0

_BLUR_PX = 0.7
_MAX_TEXTURE = 2.0


def predict(grey: Pixels, params: SegmentationParams) -> Prediction:
    """Say how much each pixel stands out from the background."""
    image = _normalised(_shrunk(grey, params.working_long_side_px))
    speck_px = round(SPECK * max(image.shape))
    inside = _inside(image, params.polarity)
    if is_only_frame(inside):
        inside = _inside(image, params.polarity, start=frame_level(image))
    return Prediction(inside, sharpness=_sharpness(image), speck_px=speck_px, waver_px=_WAVER_PX)


def _inside(image: Map, polarity: str, start: float | None = None) -> Map:
    flat = flatten(image, start)
    dark = flat.dark if polarity == "auto" else polarity == "dark"
    contrast = np.maximum(flat.darker if dark else -flat.darker, 0)
    # texture has no direction, so it counts only where bodies differ in the wanted one
    share = _texture_share(contrast, flat.noise) if dark == flat.dark else 0.0
    empty = np.abs(flat.darker) < 2.5 * flat.noise
    strength = root(contrast + share * _inner(flat.texture, flat.window_px, empty))
    threshold = max(otsu(strength), (NOISE_FLOOR * flat.noise) ** GAMMA)
    return np.asarray(np.clip(strength / (2 * threshold), 0, 1), dtype=np.float32)


def _shrunk(grey: Pixels, long_side: int) -> Map:
    """The image at the working size as float32; never larger than it is."""
    # Averaging whole numbers rounds, so only a far larger image is first reduced as it is, for memory's sake.
    for side in (4 * long_side, long_side):
        scale = min(1.0, side / max(grey.shape))
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        grey = grey.astype(np.float32) if max(grey.shape) <= 4 * long_side else grey
    return grey


def _normalised(image: Map) -> Map:
    """Contrast stretched to 0..1, with what little lies outside kept within -1..2; smoothed a little."""
    usable = np.isfinite(image)
    if not usable.all():
        image = np.where(usable, image, np.median(image[usable]) if usable.any() else 0)
    low, high = np.percentile(image.astype(np.float64), [0.05, 99.95])
    stretched = (image.astype(np.float64) - low) / max(high - low, np.finfo(np.float32).tiny)
    clipped = np.clip(stretched, -1, 2).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(clipped, (0, 0), _BLUR_PX))


def _texture_share(contrast: Map, noise: float) -> float:
    """Return how much texture counts: as brightness where that is lost in noise, else close to nothing.

    Texture finds bodies that are as bright as what is around them, but it joins bodies that nearly touch.
    """
    threshold = otsu(root(contrast)) ** (1 / GAMMA)
    return float(min(_MAX_TEXTURE, NOISE_FLOOR * noise / max(threshold, 1e-6)))


def _inner(texture: Map, window: int, empty: NDArray[np.bool_]) -> Map:
    """Texture above the background's, without the seam that a window leaves along every edge."""
    box = np.ones((window, window), np.uint8)
    inner = cv2.erode(cv2.morphologyEx(texture, cv2.MORPH_CLOSE, box), box)
    usual = inner[empty] if empty.any() else np.zeros(1, np.float32)
    level = float(np.median(usual))
    return np.asarray(np.maximum(inner - level - 2 * 1.4826 * float(np.median(np.abs(usual - level))), 0))


def _sharpness(image: Map) -> Map:
    x = cv2.Sobel(image, cv2.CV_32F, 1, 0)
    y = cv2.Sobel(image, cv2.CV_32F, 0, 1)
    sharp = cv2.dilate(cv2.magnitude(x, y), np.ones((5, 5), np.uint8))
    return np.asarray(sharp / max(float(sharp.max()), np.finfo(np.float32).tiny))
