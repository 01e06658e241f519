"""The ``unet`` engine: predicts from a scaled copy of the image, and from a finer one where bodies are small.

torch is imported when the engine is first used, never by a page that wants the engines' names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.engines.base import Map, Prediction
from core.segmentation.engines.contrast import Reading, edge_ratio, overlooked_bodies, readings
from core.segmentation.engines.scales import add_large, resized
from core.segmentation.grayscale import Pixels
from core.segmentation.params import SegmentationParams

if TYPE_CHECKING:
    from core.segmentation.engines.unet_model import UNet

CODE_VERSION = "6"  # of this module: to be raised whenever its outlines may change

# Percentiles that become -1 and 1: what lies beyond is a speck, a hot pixel or a burnt-in bar.
PERCENTILES = (0.2, 99.8)
MAX_ENLARGEMENT = 2.0  # the most that a small image is enlarged to reach the working size
# Of the parameter for the working size, whose default, 768, suits thresholds: an earlier network scored with
# 512 as with 768 on sets that it had not seen (IoU 0.851 for 0.856), with under half of the pixels.
LONG_SIDE = 2 / 3
SECOND_SCALE = 0.5  # of the first pass: what both predict does not depend on the scale
FINE_SCALE = 2.0  # how much larger the copy of the second pass is
LARGE_PX = (
    60.0  # typical diameter from which on both passes count; the smaller copy would join smaller bodies
)
SMALL_PX = 34.0  # typical diameter in the first pass, below which the second is worth its time
# Level of the field, of -1 to 1 with bodies dark, from which the image is fluorescence. In 106 images of
# eight sets it is at least 0.98 in the fluorescent ones, at most 0.84 in all others.
FLUORESCENT_LEVEL = 0.95
POSSIBLE = 0.3  # of the map: from there on a pixel may be inside
# How much surer the network must be of another reading of an image: on 42 drawn scenes with two readings,
# smaller differences say nothing about which outlines are better.
MIN_CERTAINTY_GAIN = 0.02
# Shares of the image: where less than the first is inside and more than the second stands out, smaller copies
# are predicted, too. With the weights of 0.1 that found 11 of 12 bodies out of focus; without the first
# condition, walls of wells were taken for bodies.
EMPTY_SHARE, OVERLOOKED_SHARE = 5e-4, 0.01
COARSE_SCALES = (1 / 2, 1 / 4)  # the copies' sizes
MIN_CERTAINTY = 0.85  # of a body that is predicted in a smaller, or a larger, copy alone
# What is thinner than a disc of this radius in pixels is debris. Larger copies alone showed small bodies with
# MIN_CERTAINTY in none of 40 drawn empty fields, to four networks. In a real field of 60 they showed all, at
# 0.89 and 0.93, to two networks that had seen none of its set and found nothing in the first copy.
SMALL_BODY_RADIUS_PX = 2


def version_of(sha256: str) -> str:
    """Version of this engine with the weights of this SHA-256."""
    return f"{CODE_VERSION}+{sha256[:8]}"


def predict_with(network: UNet, grey: Pixels, params: SegmentationParams) -> Prediction:
    """Predict where a network sees spheroids; grey pixels (Y, X) of any supported dtype.

    Any number of threads may call this at once.

    Where bodies touch is found from the distance to the outline, which is better than what the network makes
    of it (docs/accuracy.md), so its border and depth serve training only.
    """
    views, prediction = _passes(network, grey, params)
    standing_out = float(overlooked_bodies(views[1], prediction.inside).mean())
    seen, _, density = views
    core_edge = (
        0.0 if _is_fluorescent(views) else edge_ratio((seen, density), prediction.dense, prediction.inside)
    )
    return replace(prediction, standing_out=standing_out, core_edge=core_edge)


def _passes(network: UNet, grey: Pixels, params: SegmentationParams) -> tuple[Map, Prediction]:
    """Return the views (3, Y, X) that were used, and the prediction that all passes make together."""
    long_side = LONG_SIDE * params.working_long_side_px
    reading, first = most_certain(network, _readings(grey, long_side, params.polarity))
    views = reading.views
    typical = typical_diameter(first.inside)
    fine_side = min(float(max(grey.shape)), FINE_SCALE * long_side)
    is_empty = bool((first.inside >= 0.5).mean() < EMPTY_SHARE)
    if fine_side > 1.5 * long_side and (0 < typical < SMALL_PX or (is_empty and _shows_small_parts(views))):
        fine, fine_prediction = most_certain(network, _readings(grey, fine_side, params.polarity))
        if not is_empty or _are_small_bodies(fine_prediction.inside, views):
            return fine.views, add_large(fine_prediction, first)
    mirrored = _mirrored(network, views)
    second = mirrored.inside
    if is_empty:
        first = _with_overlooked_bodies(network, views, first)
    if typical < LARGE_PX:
        return views, replace(first, second=second)
    # A large body is found whole only in the smaller copy, its rim only in the larger one. Either alone may
    # take shadow and loose matter for body, so their mean is used; in fluorescence there is neither, so the
    # maximum.
    agreed = np.minimum(first.inside, second)
    if _is_fluorescent(views):
        return views, replace(first, inside=np.maximum(first.inside, second), second=agreed)
    inside, core = _mean(first.inside, second), _mean(first.dense, mirrored.dense)
    return views, replace(first, inside=inside, core=core, second=agreed)


def _small_parts(views: Map) -> NDArray[np.bool_]:
    """What stands out and is no debris, as small as it may be: bool (Y, X)."""
    diameter = 2 * SMALL_BODY_RADIUS_PX + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    opened = cv2.morphologyEx((views[1] >= 0.5).view(np.uint8), cv2.MORPH_OPEN, disc)
    return np.asarray(opened.view(np.bool_))


def _shows_small_parts(views: Map) -> bool:
    return bool(_small_parts(views).mean() >= OVERLOOKED_SHARE)


def _are_small_bodies(fine: Map, views: Map) -> bool:
    """Whether a finer copy alone surely shows small bodies: those that stand out in the first's views."""
    parts = _small_parts(views)
    there = cv2.resize(fine, (parts.shape[1], parts.shape[0]), interpolation=cv2.INTER_AREA)[parts]
    is_small = typical_diameter(fine) < FINE_SCALE * SMALL_PX
    return is_small and certainty(fine) >= MIN_CERTAINTY and bool((there >= 0.5).mean() >= 0.5)


def _is_fluorescent(views: Map) -> bool:
    """Whether the background is as far from the bodies as any pixel is: black, as in fluorescence.

    It is decided by the views, so an inverted image gives the same answer.
    """
    field = views[0][np.abs(views[1]) < 0.25]
    return bool(len(field)) and float(np.median(field)) >= FLUORESCENT_LEVEL


def infer(network: UNet, views: Map) -> Prediction:
    """Run the network on the views (3, Y, X) of one image; maps (Y, X)."""
    import torch  # noqa: PLC0415  # see the module's docstring

    from core.segmentation.engines.unet_model import HEADS  # noqa: PLC0415

    height, width = views.shape[1:]
    down, right = -height % network.multiple, -width % network.multiple
    padded = np.pad(views[: network.inputs], ((0, 0), (0, down), (0, right)), mode="symmetric")
    with torch.inference_mode():
        batch = torch.from_numpy(padded)[None].contiguous(memory_format=torch.channels_last)
        features = network.encode(batch.to(next(network.parameters()).dtype))
        logits = network.decode(features).float()[0].numpy()
        traits = features[-1].float().mean((0, 2, 3)).numpy()
        # resized with OpenCV: torch takes longer for this than for its convolutions
        inside, core = (
            torch.sigmoid(torch.from_numpy(resized(logits[HEADS.index(head)], padded.shape[1:])))
            .numpy()[:height, :width]
            .copy()
            for head in ("inside", "core")
        )
    return Prediction(inside, core, traits=traits)


def _readings(grey: Pixels, long_side: float, polarity: str) -> list[Reading]:
    return readings(normalise(working_copy(grey, long_side)), polarity)


def most_certain(network: UNet, candidates: list[Reading]) -> tuple[Reading, Prediction]:
    """Return the first reading of an image with its prediction, or a later one that the network is surer of.

    A reading in which something is found is preferred to one in which nothing is.
    """
    best = candidates[0], infer(network, candidates[0].views)
    for reading in candidates[1:]:
        other = infer(network, reading.views)
        if not (other.inside >= 0.5).any():
            continue
        gain = certainty(other.inside) - certainty(best[1].inside)
        if gain > MIN_CERTAINTY_GAIN or not (best[1].inside >= 0.5).any():
            best = reading, other
    return best


def certainty(inside: Map) -> float:
    """Return the mean of max(p, 1 - p) over pixels that may be inside (p >= POSSIBLE); 1 without any."""
    possible = inside[inside >= POSSIBLE]
    return float(np.maximum(possible, 1 - possible).mean()) if len(possible) else 1.0


def _mirrored(network: UNet, views: Map) -> Prediction:
    """Predict from mirrored, smaller views; the maps are brought back to the size of ``views``."""
    shape = views.shape[1:]
    other = infer(network, _smaller(views[:, :, ::-1], SECOND_SCALE))
    inside, core = (resized(values, shape)[:, ::-1] for values in (other.inside, other.dense))
    return Prediction(inside, core)


def _smaller(views: Map, scale: float) -> Map:
    size = (max(1, round(scale * views.shape[2])), max(1, round(scale * views.shape[1])))
    return np.stack([cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in views])


def _mean(first: Map, second: Map) -> Map:
    return np.asarray(cv2.addWeighted(first, 0.5, np.ascontiguousarray(second), 0.5, 0), dtype=np.float32)


def _with_overlooked_bodies(network: UNet, views: Map, first: Prediction) -> Prediction:
    """Add bodies that stand out but were not predicted: out of focus, they are sharp in smaller copies."""
    overlooked_mask = overlooked_bodies(views[1], first.inside)
    if overlooked_mask.mean() < OVERLOOKED_SHARE:
        return first
    shape = views.shape[1:]
    for scale in COARSE_SCALES:
        other = infer(network, _smaller(views, scale))
        inside, core = (resized(values, shape) for values in (other.inside, other.dense))
        if certainty(inside) >= MIN_CERTAINTY and (inside[overlooked_mask] >= 0.5).mean() >= 0.5:
            return replace(first, inside=np.maximum(first.inside, inside), core=np.maximum(first.dense, core))
    return first


def normalise(grey: Map) -> Map:
    """Scale to about -1..1 by percentiles, whatever the bit depth; zeros where all pixels are alike."""
    low, high = (float(value) for value in np.percentile(grey, PERCENTILES))
    if not high > low:
        low, high = float(grey.min()), float(grey.max())
    if not high > low:
        return np.zeros(grey.shape, np.float32)
    scaled: Map = np.clip((grey - np.float32(low)) * np.float32(2 / (high - low)) - 1, -1.5, 1.5)
    return scaled


def working_copy(grey: NDArray[np.generic], long_side: float) -> Map:
    """float32 copy whose longer side is ``long_side``, or what a small image reaches at MAX_ENLARGEMENT."""
    scale = min(MAX_ENLARGEMENT, long_side / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    if scale < 0.25:  # halve twice in the image's own dtype first: a float copy of a huge image is huge
        grey = cv2.resize(grey, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_AREA)
    pixels = _finite(grey.astype(np.float32))
    small: Map = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return small


def typical_diameter(inside: Map) -> float:
    """Typical diameter in pixels of what is inside; 0 where nothing is.

    From the distances d to the outline: Σd² / Σd is half the radius of a disc. That holds for discs that
    touch, too, and the deeper a pixel lies the more it counts, so crowding, debris and loose rims change it
    little.
    """
    mask = (inside >= 0.5).view(np.uint8)
    if not mask.any() or mask.all():  # without an outline there is no distance to it
        return float(max(mask.shape)) if mask.any() else 0.0
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    distances = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return 4 * float(np.square(distances).sum() / distances.sum())


def _finite(pixels: Map) -> Map:
    """Put the median where a float image has no number."""
    finite = np.isfinite(pixels)
    if finite.all():
        return pixels
    return np.where(finite, pixels, np.median(pixels[finite]) if finite.any() else 0).astype(np.float32)
