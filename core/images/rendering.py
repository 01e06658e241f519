"""Render pictures to look at: 8-bit views, outlines and numbers over them, thumbnails. Never measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models import Raster, Ring, Spheroid

Bytes = NDArray[np.uint8]
Pixels = NDArray[Any]

THUMBNAIL_PX = 160  # longer side of the small pictures in tables and on cards

_STRETCH_PERCENT = (0.1, 99.9)
_SAMPLE_PIXELS = (
    250_000  # percentiles of these take 4 ms and differ from those of all by less than a grey level
)
_STRIP = 64  # rows at a time: both ways take 8 bytes a value in between
_THUMBNAIL_QUALITY = 80
LINE_RGB = (255, 176, 0)  # amber: told from grey, black and white by every kind of colour vision
TEXT_RGB = (255, 255, 255)
HALO_RGB = (0, 0, 0)
FONT = cv2.FONT_HERSHEY_SIMPLEX
CAPITAL_PX = 22  # height of a digit of FONT at scale 1
MIN_TEXT_PX = 9  # smaller digits of this font cannot be read
SHIFT = 4  # bits of a pixel's fraction that the line drawing keeps


def to_display(pixels: NDArray[np.generic], stretch: bool, bit_depth: int) -> Bytes:
    """Return a uint8 view, (Y, X) or (Y, X, 3), of uint8, uint16 or float32 pixels; alpha is left out.

    Raw (``stretch`` off): 0 to 2**bit_depth - 1 becomes 0 to 255; floats, the least to the greatest value.
    Stretched: the 0.1 and 99.9 percentiles become 0 and 255, the same for all colours, so that hues stay.
    A flat image becomes black.
    """
    colours: Pixels = pixels[..., :3] if pixels.ndim == 3 else pixels
    if not stretch and pixels.dtype == np.uint8 and bit_depth == 8:
        return np.ascontiguousarray(colours).view(np.uint8)
    low, high = _stretch_range(colours) if stretch else _raw_range(colours, bit_depth)
    table = None
    if pixels.dtype != np.float32:
        table = _scaled(np.arange(np.iinfo(colours.dtype).max + 1), low, high)
    view = np.empty(colours.shape, np.uint8)
    for top in range(0, len(colours), _STRIP):
        strip = colours[top : top + _STRIP]
        view[top : top + _STRIP] = _scaled(strip, low, high) if table is None else table[strip]
    return view


def encode_png(image: Bytes) -> bytes:
    """Return a PNG of uint8 (Y, X) or (Y, X, 3), packed for speed rather than size.

    One fixed filter takes 120 ms for 2048 × 1532 RGB and OpenCV's default 230 ms, at the same size.
    """
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    return _encode(image, ".png", options)


def shrunk(image: Bytes, longest: int | None) -> Bytes:
    """Return a view (Y, X) or (Y, X, 3) whose longer side is at most ``longest``; never enlarged."""
    height, width = image.shape[:2]
    if longest is None or max(height, width) <= longest:
        return image
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def thumbnail(raster: Raster, spheroids: Sequence[Spheroid] = (), size_px: int = THUMBNAIL_PX) -> bytes:
    """Return a stretched WebP with any outlines; its longer side is at most ``size_px``, never enlarged."""
    height, width = raster.pixels.shape[:2]
    scale = min(1.0, size_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(raster.pixels, size, interpolation=cv2.INTER_AREA)
    view = to_display(small, stretch=True, bit_depth=raster.facts.bit_depth)
    if spheroids:
        view = _canvas(view)
        cv2.polylines(view, _rings(spheroids, scale), True, LINE_RGB, 1, cv2.LINE_AA, SHIFT)
    return _encode(view, ".webp", [cv2.IMWRITE_WEBP_QUALITY, _THUMBNAIL_QUALITY])


def draw_outlines(pixels: Bytes, spheroids: Sequence[Spheroid]) -> Bytes:
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


def _canvas(pixels: Bytes) -> Bytes:
    canvas: Bytes = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels.copy()
    return canvas


def _rings(spheroids: Sequence[Spheroid], scale: float) -> list[NDArray[np.int32]]:
    return [_points(ring, scale) for item in spheroids for ring in (item.contour.outer, *item.contour.holes)]


def _points(ring: Ring, scale: float) -> NDArray[np.int32]:
    """Fixed-point coordinates; OpenCV calls the first pixel's centre (0, 0), outlines call it (0.5, 0.5)."""
    fixed = np.rint((np.array(ring, np.float64) * scale - 0.5) * 2**SHIFT)
    points: NDArray[np.int32] = fixed.astype(np.int32).reshape(-1, 1, 2)
    return points


def _number(canvas: Bytes, spheroid: Spheroid) -> None:
    points = np.asarray(spheroid.contour.outer)
    low, high = points.min(axis=0), points.max(axis=0)
    side, text = float(min(high - low)), str(spheroid.number)
    height = min(max(MIN_TEXT_PX, 0.22 * side), max(MIN_TEXT_PX, max(canvas.shape[:2]) / 28))
    stroke = max(1, round(height / 9))
    (width, tall), _ = cv2.getTextSize(text, FONT, height / CAPITAL_PX, stroke)
    x, y = (low + high) / 2 + (-width / 2, tall / 2)
    if max(width, tall) > 0.7 * side:  # would hide the spheroid: beside it instead
        x, y = high[0] + 2, low[1] + tall / 2
    place = _inside(x, y, (width, tall), canvas)
    for colour, thickness in ((HALO_RGB, stroke + 2 * max(1, stroke // 2)), (TEXT_RGB, stroke)):
        cv2.putText(canvas, text, place, FONT, height / CAPITAL_PX, colour, thickness, cv2.LINE_AA)


def _inside(x: float, y: float, size: tuple[int, int], canvas: Bytes) -> tuple[int, int]:
    """Baseline's left end, moved so that the whole text stays on the image."""
    height, width = canvas.shape[:2]
    return round(max(1, min(x, width - size[0] - 1))), round(max(size[1] + 1, min(y, height - 2)))


def _raw_range(pixels: Pixels, bit_depth: int) -> tuple[float, float]:
    if pixels.dtype == np.float32:
        return float(pixels.min()), float(pixels.max())
    return 0.0, float(2**bit_depth - 1)


def _stretch_range(pixels: Pixels) -> tuple[float, float]:
    """Return the percentiles of an even sample of the pixels."""
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / _SAMPLE_PIXELS) ** 0.5))
    low, high = np.percentile(pixels[::step, ::step], _STRETCH_PERCENT)
    return float(low), float(high)


def _scaled(values: Pixels, low: float, high: float) -> Bytes:
    """Map low..high to 0..255, rounded, values outside clipped."""
    factor = 255.0 / (high - low) if high > low else 0.0
    scaled = (values.astype(np.float64) - low) * factor  # float32 overflows between its extremes
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _encode(image: Bytes, suffix: str, options: list[int]) -> bytes:
    if image.ndim == 3:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    done, encoded = cv2.imencode(suffix, image, options)
    if not done:
        raise ValueError(f"OpenCV could not write {suffix} of {image.shape} {image.dtype}")
    return bytes(encoded)
