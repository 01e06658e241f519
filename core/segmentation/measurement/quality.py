"""What an image as a whole is like: how blurred its largest spheroid's edge is, how many specks lie about.

Both say why somebody should look at an image: it may be out of focus, or its well full of debris.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models import ImageQuality
from core.segmentation.grayscale import Pixels
from core.segmentation.outlines.boundaries import Labels, OutlinedObject

_SIDE_PX = 400  # of the box around a spheroid that is looked at; larger ones are made smaller first
_FIELD_PX = 512  # the same of the image in which specks are counted
_SMOOTHED_PX = 1.0  # sigma, before slopes are taken
_STEEP = 95  # percentile of the slopes along the edge that counts as the edge's own
_SPECK_PX = 9  # what a disc of this diameter does not fit into is a speck
_MARGIN_PX = 4  # around spheroids, where no speck is counted
_STANDS_OUT = (0.08, 6.0)  # share of the background's level, and times the noise, by which a speck differs

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


def quality(labels: Labels, objects: Sequence[OutlinedObject], pixels: Pixels) -> ImageQuality:
    """Measure an image.

    Args:
        labels: int32 (Y, X), 0 is background.
        objects: those of ``labels``, as ``boundaries.find`` finds them.
        pixels: grey values (Y, X).
    """
    largest = max(objects, key=lambda item: np.count_nonzero(item.mask), default=None)
    blur = None if largest is None else edge_blur(labels, largest, pixels)
    return ImageQuality(blur, specks(labels, pixels))


def edge_blur(labels: Labels, spheroid: OutlinedObject, pixels: Pixels) -> float | None:
    """The blur of a spheroid's edge, in percent of its diameter; None where its edge has no contrast.

    A step of contrast C that is blurred by a Gaussian of sigma s has the slope C / (s √(2π)) in its middle
    (Elder and Zucker 1998). C is the difference of the medians inside and outside, the slope the 95th
    percentile along the edge; what smoothing before adds is taken out.
    """
    body, inside, field = _window(labels, spheroid, pixels)
    diameter = math.sqrt(4 * np.count_nonzero(inside) / math.pi)
    within = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5)
    near, deep, far = 0.06 * diameter + 2, 0.08 * diameter, 0.25 * diameter
    rim_in = (within > deep) & (within <= far)
    rim_out = (beyond > deep + 2) & (beyond <= far + 2) & ~field
    if not rim_in.any() or not rim_out.any():
        return None
    contrast = abs(float(np.median(body[rim_in]) - np.median(body[rim_out])))
    edge = (within <= near) & (beyond <= near)
    slope = float(np.percentile(_slopes(body)[edge], _STEEP))
    if not (slope > 0 and contrast > 0 and math.isfinite(contrast / slope)):
        return None
    sigma = contrast / (slope * math.sqrt(2 * math.pi))
    return 100 * math.sqrt(max(0.0, sigma**2 - _SMOOTHED_PX**2)) / diameter


def specks(labels: Labels, pixels: Pixels) -> int:
    """Number of small things that lie outside the spheroids and stand out from the background.

    They are what a closing by a disc fills, or an opening takes away where spheroids are bright on black.
    """
    field, spheroids = _at_most(pixels, labels > 0, _FIELD_PX)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SPECK_PX, _SPECK_PX))
    level = _median(field)
    bright = bool(spheroids.any()) and float(np.median(field[spheroids])) > level
    standing = cv2.morphologyEx(field, cv2.MORPH_TOPHAT if bright else cv2.MORPH_BLACKHAT, disc)
    noise = 1.4826 * _median(np.abs(field - cv2.medianBlur(field, 3)))
    share, times = _STANDS_OUT
    near = cv2.dilate(spheroids.astype(np.uint8), np.ones((2 * _MARGIN_PX + 1,) * 2, np.uint8))
    out = (standing > max(share * abs(level), times * noise)) & (near == 0)
    return int(cv2.connectedComponents(out.astype(np.uint8))[0]) - 1


def _median(values: Floats) -> float:
    """The median of every fourth pixel: of a field, as good as that of all, in a quarter of the time."""
    return float(np.median(values[::2, ::2]))


def _window(labels: Labels, spheroid: OutlinedObject, pixels: Pixels) -> tuple[Floats, Mask, Mask]:
    """A spheroid with some background, not larger than needed: pixels, its mask, where any spheroid is."""
    rows, columns = spheroid.box
    margin = int(0.3 * (max(rows.stop - rows.start, columns.stop - columns.start) - 1)) + 4
    box = (
        slice(max(0, rows.start - margin), rows.stop + margin),
        slice(max(0, columns.start - margin), columns.stop + margin),
    )
    body, inside = _at_most(pixels[box], labels[box] == spheroid.number, _SIDE_PX)
    _, any_spheroid = _at_most(pixels[box], labels[box] > 0, _SIDE_PX)
    return body, inside, any_spheroid


def _at_most(pixels: Pixels, mask: Mask, side_px: int) -> tuple[Floats, Mask]:
    """Pixels and mask with no side longer than ``side_px``; made smaller before they become floats."""
    scale = side_px / max(pixels.shape)
    if scale >= 1:
        return np.nan_to_num(pixels.astype(np.float32)), mask
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    inside = cv2.resize(
        np.ascontiguousarray(mask).view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
    )
    return np.nan_to_num(small), inside > 0


def _slopes(pixels: Floats) -> Floats:
    """Slope at each place, in values a pixel."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), _SMOOTHED_PX)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.asarray(np.hypot(across, down), np.float32)
