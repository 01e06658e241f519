"""The ``unet`` engine: a scaled copy through the network, and once more and finer where bodies are small.

torch is imported when the engine is first used, never by a page that wants the engines' names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.engines.base import Map, Prediction
from core.segmentation.engines.contrast import Reading, edge_ratio, overlooked, readings
from core.segmentation.engines.scales import add_large, resized
from core.segmentation.grayscale import Pixels
from core.segmentation.params import SegmentationParams

if TYPE_CHECKING:
    from core.segmentation.engines.unet_model import UNet

CODE_VERSION = "4"  # of this module: to be raised whenever its outlines may change

# Percentiles that become -1 and 1: what lies beyond is a speck, a hot pixel or a burnt-in bar.
PERCENTILES = (0.2, 99.8)
ENLARGE = 2.0  # the most that a small image is enlarged to reach the working size
# Of the parameter for the working size, whose default, 768, suits thresholds: an earlier network scored with
# 512 as with 768 on sets that it had not seen (IoU 0.851 for 0.856), with under half of the pixels.
LONG_SIDE = 2 / 3
SECOND = 0.5  # of the first look's size: where both see the same, it does not hang on the scale
FINER = 2.0  # how much larger the copy of the second pass is
LARGE_PX = 60.0  # typical diameter from which on both looks count; of smaller bodies they join neighbours
SMALL_PX = 34.0  # typical diameter in the first pass, below which the second is worth its time
# Level of the field, of -1 to 1 with bodies dark, from which they glow. In 106 images of eight sets it is at
# least 0.98 in the fluorescent ones, at most 0.84 in all others.
GLOWING = 0.95
POSSIBLE = 0.3  # of the map: from there on a pixel may be inside
# How much surer the network must be of another way to read an image: on 42 drawn scenes that can be read in
# two ways, smaller differences say nothing about which outlines are better.
CLEARLY = 0.02
# Of the field: where less is inside and more than LOST stands out, it is looked at from afar. With the
# weights of 0.1 that found 11 of 12 bodies out of focus; where something was inside, it took wells for them.
NOTHING, LOST = 5e-4, 0.01
COARSER = (1 / 2, 1 / 4)  # the copies' sizes
SURE = 0.85  # certainty with which a body must be seen there


def version_of(sha256: str) -> str:
    """Version of this engine with the weights of this SHA-256."""
    return f"{CODE_VERSION}+{sha256[:8]}"


def predict_with(network: UNet, grey: Pixels, params: SegmentationParams) -> Prediction:
    """Predict where a network sees spheroids; grey pixels (Y, X) of any supported dtype.

    Any number of threads may call this at once.

    Where bodies touch is found from the distance to the outline, which is better than what the network makes
    of it (docs/accuracy.md), so its border and depth serve training only.
    """
    seen, prediction = _passes(network, grey, params)
    standing_out = float(overlooked(seen[1], prediction.inside).mean())
    core_edge = 0.0 if _glows(seen) else edge_ratio(seen[0], prediction.dense, prediction.inside)
    return replace(prediction, standing_out=standing_out, core_edge=core_edge)


def _passes(network: UNet, grey: Pixels, params: SegmentationParams) -> tuple[Map, Prediction]:
    """The views that were looked at, and what is seen in all looks together."""
    long_side = LONG_SIDE * params.working_long_side_px
    reading, first = surest(network, _readings(grey, long_side, params.polarity))
    seen = reading.views
    typical = typical_diameter(first.inside)
    finer = min(float(max(grey.shape)), FINER * long_side)
    if finer > 1.5 * long_side and 0 < typical < SMALL_PX:
        fine, again = surest(network, _readings(grey, finer, params.polarity))
        return fine.views, add_large(again, first)
    mirrored = _mirrored(network, seen)
    second = mirrored.inside
    if (first.inside >= 0.5).mean() < NOTHING:
        first = _from_afar(network, seen, first)
    if typical < LARGE_PX:
        return seen, replace(first, second=second)
    # A large body is seen whole only from further away, its rim only from near. Either look alone may take
    # shadow and loose matter for body, so they count half each; where bodies glow there is none, and either
    # counts.
    agreed = np.minimum(first.inside, second)
    if _glows(seen):
        return seen, replace(first, inside=np.maximum(first.inside, second), second=agreed)
    inside, core = _mean(first.inside, second), _mean(first.dense, mirrored.dense)
    return seen, replace(first, inside=inside, core=core, second=agreed)


def _glows(seen: Map) -> bool:
    """Whether the field around bodies is as far from them as any pixel: black, in fluorescence.

    Told from the views, so that an inverted image is the same image.
    """
    field = seen[0][np.abs(seen[1]) < 0.25]
    return bool(len(field)) and float(np.median(field)) >= GLOWING


def infer(network: UNet, seen: Map) -> Prediction:
    """Run the network on the views (2, Y, X) of one image; maps (Y, X)."""
    import torch  # noqa: PLC0415  # see the module's docstring

    from core.segmentation.engines.unet_model import HEADS  # noqa: PLC0415

    height, width = seen.shape[1:]
    down, right = -height % network.multiple, -width % network.multiple
    padded = np.pad(seen, ((0, 0), (0, down), (0, right)), mode="symmetric")
    with torch.inference_mode():
        batch = torch.from_numpy(padded)[None].contiguous(memory_format=torch.channels_last)
        features = network.encode(batch.to(next(network.parameters()).dtype))
        logits = network.decode(features).float()[0].numpy()
        traits = features[-1].float().mean((0, 2, 3)).numpy()
        # the two maps that are wanted, with OpenCV: torch takes longer over this than over its convolutions
        inside, core = (
            torch.sigmoid(torch.from_numpy(resized(logits[HEADS.index(head)], padded.shape[1:])))
            .numpy()[:height, :width]
            .copy()
            for head in ("inside", "core")
        )
    return Prediction(inside, core, traits=traits)


def _readings(grey: Pixels, long_side: float, polarity: str) -> list[Reading]:
    return readings(normalise(working_copy(grey, long_side)), polarity)


def surest(network: UNet, ways: list[Reading]) -> tuple[Reading, Prediction]:
    """Of the ways to read an image the first, unless the network is surer of what it sees in another.

    A way in which something is found beats one in which nothing is.
    """
    chosen = ways[0], infer(network, ways[0].views)
    for way in ways[1:]:
        other = infer(network, way.views)
        if not (other.inside >= 0.5).any():
            continue
        gain = certainty(other.inside) - certainty(chosen[1].inside)
        if gain > CLEARLY or not (chosen[1].inside >= 0.5).any():
            chosen = way, other
    return chosen


def certainty(inside: Map) -> float:
    """How far from even odds the map is, on average over what may be inside; 0.5..1."""
    possible = inside[inside >= POSSIBLE]
    return float(np.maximum(possible, 1 - possible).mean()) if len(possible) else 1.0


def _mirrored(network: UNet, seen: Map) -> Prediction:
    """What is seen mirrored and smaller, brought back to the size of the views."""
    shape = seen.shape[1:]
    other = infer(network, _smaller(seen[:, :, ::-1], SECOND))
    inside, core = (resized(values, shape)[:, ::-1] for values in (other.inside, other.dense))
    return Prediction(inside, core)


def _smaller(seen: Map, scale: float) -> Map:
    size = (max(1, round(scale * seen.shape[2])), max(1, round(scale * seen.shape[1])))
    return np.stack([cv2.resize(view, size, interpolation=cv2.INTER_AREA) for view in seen])


def _mean(one: Map, other: Map) -> Map:
    return np.asarray(cv2.addWeighted(one, 0.5, np.ascontiguousarray(other), 0.5, 0), dtype=np.float32)


def _from_afar(network: UNet, seen: Map, first: Prediction) -> Prediction:
    """Add a body that stands out and was overlooked: in a smaller copy its edge is as sharp as others'."""
    lost = overlooked(seen[1], first.inside)
    if lost.mean() < LOST:
        return first
    shape = seen.shape[1:]
    for scale in COARSER:
        other = infer(network, _smaller(seen, scale))
        inside, core = (resized(values, shape) for values in (other.inside, other.dense))
        if certainty(inside) >= SURE and (inside[lost] >= 0.5).mean() >= 0.5:
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
    """float32 copy whose longer side is ``long_side``, or what a small image reaches at ENLARGE times."""
    scale = min(ENLARGE, long_side / max(grey.shape))
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
    away = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return 4 * float(np.square(away).sum() / away.sum())


def _finite(pixels: Map) -> Map:
    """Put the median where a float image has no number."""
    sound = np.isfinite(pixels)
    if sound.all():
        return pixels
    return np.where(sound, pixels, np.median(pixels[sound]) if sound.any() else 0).astype(np.float32)
