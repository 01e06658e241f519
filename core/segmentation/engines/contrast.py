"""Contrast of each pixel to the background, and whether bodies are dark or bright.

Both engines use it: ``classical`` thresholds it, the network gets it as its second channel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.engines import background
from core.segmentation.engines.base import Map

NOISE_FLOOR = 6.0  # standard deviations of the background; noise alone must never be an object
TEXTURE_WINDOW = 0.01  # of the longer side
GAMMA = 0.5  # thresholds are found on square roots: a black body must not hide a pale one from Otsu
ABOVE_OTSU = 1.1
SPECK = 0.01  # of the longer side: what a disc of this radius does not fit into is debris or a fibre
# Of what stands out, the share from which dark counts though bright is more. Of 106 images of eight sets the
# fluorescent ones have 0.021 at most, all others at least 0.83; dark bodies in bright grain at least 0.2.
MIN_DARK_SHARE = 0.05
BODY = 0.025  # of the longer side: what a disc of this radius fits into may be a body that was overlooked
MAX_OVERLOOKED_MEAN = 0.2  # of what stands out: mean of the map from which on it was not
_COARSE = 4  # what is that large is looked for in a copy so much smaller
_BLUR_PX = 0.7
_EDGE_PX = 1.5  # sigma of the blur before slopes are taken, and how wide an edge is
_FLATTEST = 1e-3  # of the contrast; a field without any would otherwise be all contrast
_DARKEST = 0.03  # of the range: what is darker is taken for as dark, or noise in it would be all there is


@dataclass(frozen=True, slots=True)
class Flat:
    """An image without its background; maps float32 (Y, X) in the image's own scale.

    ``darker``: background minus image. ``noise``: robust standard deviation of the background.
    ``dark_share``: how much of what differs from the background is darker, 0..1, by squares. ``texture``:
    local standard deviation over ``window_px``.
    """

    darker: Map
    noise: float
    dark_share: float
    texture: Map
    window_px: int

    @property
    def dark(self) -> bool:
        """Whether the image differs more from the background towards dark than towards bright."""
        return self.dark_share >= 0.5


def flatten(image: Map, start: float | None = None) -> Flat:
    """Fit the background of an image that is scaled to about 0..1 and take it away.

    ``start``: the background's brightness, roughly; the most frequent one where None.
    """
    window = max(3, round(TEXTURE_WINDOW * max(image.shape)) | 1)
    texture = _texture(image, window)
    surface, noise = background.fit(image, texture, start)
    darker: Map = surface - image
    dark, bright = (
        np.square(np.maximum(np.clip(difference, -1, 1) - 3 * noise, 0)).sum()
        for difference in (darker, -darker)
    )
    total = float(dark + bright)
    return Flat(darker, noise, float(dark) / total if total else 1.0, texture, window)


def views(image: Map, polarity: str = "auto") -> NDArray[np.float32]:
    """Return the network's input for an image: float32 (3, Y, X).

    The first is the image with bodies dark, whichever way it came, so that an inverted image is the same
    image. The second is how far each pixel lies from the fitted background, towards bodies, where Otsu's
    threshold is at 0.5. The third is the first one's ``optical_density``.

    Args:
        image: float32 (Y, X), about -1..1.
        polarity: of the bodies, "dark" or "bright"; found from the image where "auto".
    """
    return readings(image, polarity)[0].views


@dataclass(frozen=True, slots=True)
class Reading:
    """One interpretation of an image: its ``views``, and whether bodies are darker than the background."""

    views: NDArray[np.float32]
    dark: bool


def readings(image: Map, polarity: str = "auto") -> list[Reading]:
    """Return the interpretations of an image, most likely first: one where it is clear, else two.

    There is doubt where bright and dark both stand out, as a dark body in bright grain does, and where the
    image's edge is no background, as in dense fields and around bodies that fill most of the image. The
    first is to be used unless the other is clearly better.
    """
    smooth: Map = np.asarray(cv2.GaussianBlur((image + 1) / 2, (0, 0), _BLUR_PX))
    flat = flatten(smooth)
    reading = _read(image, flat, polarity)
    if only_frame := is_only_frame(reading.views[1]):
        flat = flatten(smooth, frame_level(smooth))
        reading = _read(image, flat, polarity)
    if polarity != "auto":
        return [reading]
    if not reading.dark and flat.dark_share > MIN_DARK_SHARE:
        return [_read(image, flat, "dark"), reading]
    if not only_frame and abs(frame_level(flat.darker)) > NOISE_FLOOR * flat.noise:
        other = _read(image, flatten(smooth, frame_level(smooth)), "auto")
        return [reading] if other.dark == reading.dark else [reading, other]
    return [reading]


def _read(image: Map, flat: Flat, polarity: str) -> Reading:
    """The image with bodies dark, and how far each pixel lies towards them: Otsu's threshold is at 0.5."""
    dark = flat.dark if polarity == "auto" else polarity == "dark"
    towards = flat.darker if dark else -flat.darker
    level = max(otsu(root(np.maximum(towards, 0))) ** (1 / GAMMA), NOISE_FLOOR * flat.noise, _FLATTEST)
    contrast = np.clip(towards / np.float32(2 * level), -1, 1)
    seen = image if dark else -image
    return Reading(np.stack([seen, contrast, optical_density(seen)]), dark)


def optical_density(seen: Map) -> Map:
    """Return the logarithm of the share of light that is missing: -1 where none is, 1 in black.

    A black body and the nearly black matter around it, which differ by a few hundredths of the light, are
    told apart by it.

    Args:
        seen: float32 (Y, X), about -1..1, bodies dark.
    """
    light = np.clip((seen + 1) / 2, 0, 1) + np.float32(_DARKEST)
    density = np.log((1 + np.float32(_DARKEST)) / light) / np.float32(math.log(1 / _DARKEST + 1))
    return np.asarray(2 * density - 1, dtype=np.float32)


def is_only_frame(inside: Map) -> bool:
    """Whether all that stands out lies along the image's edge, and along most of it.

    Then the background was taken for what stands out, and a body that fills most of the image for background.
    """
    mask = (inside >= 0.5).view(np.uint8)
    frame = np.ones(mask.shape, np.uint8)
    frame[1:-1, 1:-1] = 0
    if mask[frame > 0].mean() <= 0.5:
        return False
    count, parts = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)
    areas = np.bincount(parts.ravel(), minlength=count)
    areas[parts[frame > 0]] = 0
    areas[0] = 0
    return bool(areas.max() < math.pi * round(SPECK * max(mask.shape)) ** 2 + 1)


def overlooked_bodies(contrast: Map, inside: Map) -> NDArray[np.bool_]:
    """Return where something as large as a body stands out, of which next to nothing is inside; bool (Y, X).

    Debris, fibres and thin walls are too narrow to count. Both maps float32 (Y, X) of one size.
    """
    shape = contrast.shape
    size = (max(1, shape[1] // _COARSE), max(1, shape[0] // _COARSE))
    small, inside_small = (
        cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (contrast, inside)
    )
    radius = max(1, round(BODY * max(size)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    blobs = cv2.morphologyEx((small >= 0.5).view(np.uint8), cv2.MORPH_OPEN, disc)
    count, parts = cv2.connectedComponents(blobs, connectivity=8, ltype=cv2.CV_32S)
    found_sums = np.bincount(parts.ravel(), inside_small.ravel(), minlength=count)
    is_overlooked = found_sums < MAX_OVERLOOKED_MEAN * np.bincount(parts.ravel(), minlength=count)
    is_overlooked[0] = False
    full_size = cv2.resize(
        is_overlooked[parts].view(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST
    )
    return np.asarray(full_size.view(np.bool_))


def frame_level(image: Map) -> float:
    """Typical value along the image's edge."""
    return float(np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])))


def root(evidence: Map) -> Map:
    """Square roots, of 1 at most."""
    return np.power(np.minimum(evidence, 1), GAMMA)


def otsu(strength: Map) -> float:
    """A little above Otsu's threshold of values 0..1."""
    levels = (strength * 255).astype(np.uint8)
    return float(cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0]) / 255 * ABOVE_OTSU


def _texture(image: Map, window: int) -> Map:
    """Local standard deviation."""
    mean = cv2.blur(image, (window, window))
    return np.asarray(np.sqrt(np.maximum(cv2.blur(image * image, (window, window)) - mean * mean, 0)))


def edge_ratio(images: Sequence[Map], core: Map, whole: Map) -> float:
    """Return how strong the edges of cores are, as a multiple of those of whole bodies; 0 where there are
    none. Of several images of the same bodies the greatest counts.

    The strength is the mean slope of a slightly blurred image, float32 (Y, X), along the outlines at 0.5.
    """
    edges = [_edge(np.minimum(core, whole) >= 0.5), _edge(whole >= 0.5)]
    if not all(edge.any() for edge in edges):
        return 0.0
    ratios = []
    for image in images:
        smooth = cv2.GaussianBlur(image, (0, 0), _EDGE_PX)
        slope = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
        of_cores, of_wholes = (float(slope[edge].mean()) for edge in edges)
        ratios.append(of_cores / of_wholes if of_wholes else 0.0)
    return max(ratios)


def _edge(body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The outermost pixels of bodies, as wide as an edge."""
    distance = cv2.distanceTransform(body.view(np.uint8), cv2.DIST_L2, 5)
    return np.asarray((distance > 0) & (distance <= _EDGE_PX))
