"""Outlines and numbers drawn over an image, for looking at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.images.display import to_display
from core.models import Raster, Ring, Spheroid

Pixels = NDArray[np.uint8]

LINE_RGB = (255, 176, 0)  # amber: told from grey, black and white by every kind of colour vision
TEXT_RGB = (255, 255, 255)
HALO_RGB = (0, 0, 0)
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL_PX = 22  # height of a digit of FONT at scale 1
LEAST_TEXT_PX = 9  # smaller digits of this font cannot be read
WEBP_QUALITY = 80
SHIFT = 4  # bits of a pixel's fraction that the line drawing keeps


def draw(pixels: Pixels, spheroids: Sequence[Spheroid]) -> Pixels:
    """RGB copy (Y, X, 3) of ``pixels`` uint8 (Y, X) or (Y, X, 3) with every spheroid outlined and numbered.

    Lines grow with the image and numbers with their spheroid, so that both 150 and 4096 pixels can be read.
    """
    canvas, rings = _canvas(pixels), _rings(spheroids, 1.0)
    line = max(1, round(max(canvas.shape[:2]) / 700))
    shade = canvas.copy()
    cv2.polylines(shade, rings, True, HALO_RGB, line + 2 * max(1, line // 2), cv2.LINE_AA, SHIFT)
    # half through, as a full halo would hide the very edge that the outline is judged by
    cv2.addWeighted(canvas, 0.5, shade, 0.5, 0, dst=canvas)
    cv2.polylines(canvas, rings, True, LINE_RGB, line, cv2.LINE_AA, SHIFT)
    for spheroid in spheroids:
        _number(canvas, spheroid)
    return canvas


def thumbnail(raster: Raster, spheroids: Sequence[Spheroid], size_px: int) -> bytes:
    """Stretched WebP with outlines, longer side at most ``size_px``; smaller images keep their size."""
    height, width = raster.pixels.shape[:2]
    scale = min(1.0, size_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(raster.pixels, size, interpolation=cv2.INTER_AREA)
    canvas = _canvas(to_display(small, True, raster.facts.bit_depth))
    cv2.polylines(canvas, _rings(spheroids, scale), True, LINE_RGB, 1, cv2.LINE_AA, SHIFT)
    bgr = cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    return bytes(encoded)


def _canvas(pixels: Pixels) -> Pixels:
    canvas: Pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels.copy()
    return canvas


def _rings(spheroids: Sequence[Spheroid], scale: float) -> list[NDArray[np.int32]]:
    return [_points(ring, scale) for item in spheroids for ring in (item.contour.outer, *item.contour.holes)]


def _points(ring: Ring, scale: float) -> NDArray[np.int32]:
    """Fixed-point coordinates; OpenCV calls the first pixel's centre (0, 0), outlines call it (0.5, 0.5)."""
    fixed = np.rint((np.array(ring, np.float64) * scale - 0.5) * 2**SHIFT)
    points: NDArray[np.int32] = fixed.astype(np.int32).reshape(-1, 1, 2)
    return points


def _number(canvas: Pixels, spheroid: Spheroid) -> None:
    points = np.asarray(spheroid.contour.outer)
    low, high = points.min(axis=0), points.max(axis=0)
    side, text = float(min(high - low)), str(spheroid.number)
    height = min(max(LEAST_TEXT_PX, 0.22 * side), max(LEAST_TEXT_PX, max(canvas.shape[:2]) / 28))
    stroke = max(1, round(height / 9))
    (width, tall), _ = cv2.getTextSize(text, FONT, height / CAPITAL_PX, stroke)
    x, y = (low + high) / 2 + (-width / 2, tall / 2)
    if max(width, tall) > 0.7 * side:  # would hide the spheroid: beside it instead
        x, y = high[0] + 2, low[1] + tall / 2
    place = _inside(x, y, (width, tall), canvas)
    for colour, thickness in ((HALO_RGB, stroke + 2 * max(1, stroke // 2)), (TEXT_RGB, stroke)):
        cv2.putText(canvas, text, place, FONT, height / CAPITAL_PX, colour, thickness, cv2.LINE_AA)


def _inside(x: float, y: float, size: tuple[int, int], canvas: Pixels) -> tuple[int, int]:
    """Baseline's left end, moved so that the whole text stays on the image."""
    height, width = canvas.shape[:2]
    return round(max(1, min(x, width - size[0] - 1))), round(max(size[1] + 1, min(y, height - 2)))
