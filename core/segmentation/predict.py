"""The ``unet`` engine: a scaled copy through the network, and once more and finer where bodies are small.

torch is imported when the engine is first used, never by a page that wants the engines' names.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.contrast import views
from core.segmentation.engine import Map, Prediction
from core.segmentation.grey import Pixels
from core.segmentation.params import SegmentationParams

if TYPE_CHECKING:
    from core.segmentation.model import UNet

VERSION = "1+fd4e7b65"  # the code's, and the first digits of the weights' SHA-256

# Percentiles that become -1 and 1: what lies beyond is a speck, a hot pixel or a burnt-in bar.
PERCENTILES = (0.2, 99.8)
ENLARGE = 2.0  # the most that a small image is enlarged to reach the working size
# Of the parameter for the working size, whose default, 768, suits thresholds: with 512 the network scored as
# well on sets that it had not seen (IoU 0.851 for 0.856, F1 0.900 for 0.888), with under half of the pixels.
LONG_SIDE = 2 / 3
FINER = 2.0  # how much larger the copy of the second pass is
SMALL_PX = 34.0  # typical diameter in the first pass, below which the second is worth its time
_lock = threading.Lock()


def predict(grey: Pixels, params: SegmentationParams) -> Prediction:
    """Say where the shipped network sees spheroids; any number of threads may call this at once.

    Raises:
        SegmentationError: the weights file is not the pinned one.
    """
    with _lock:
        network = _shipped()
    return predict_with(network, grey, params)


def predict_with(network: UNet, grey: Pixels, params: SegmentationParams) -> Prediction:
    """As ``predict``, with any network; grey pixels (Y, X) of any supported dtype.

    Without ``depth``: where bodies touch is found better from the distance to the outline than from what the
    network makes of it (docs/accuracy.md).
    """
    long_side = LONG_SIDE * params.working_long_side_px
    maps = _look(network, grey, long_side, params.polarity)
    if max(grey.shape) > 1.5 * long_side and 0 < typical_diameter(maps.inside) < SMALL_PX:
        maps = _look(network, grey, min(float(max(grey.shape)), FINER * long_side), params.polarity)
    return maps


def _look(network: UNet, grey: Pixels, long_side: float, polarity: str) -> Prediction:
    return infer(network, views(normalise(working_copy(grey, long_side)), polarity))


def infer(network: UNet, seen: Map) -> Prediction:
    """Run the network on the views (2, Y, X) of one image; maps (Y, X)."""
    import torch  # noqa: PLC0415  # see the module's docstring

    height, width = seen.shape[1:]
    down, right = -height % network.multiple, -width % network.multiple
    padded = np.pad(seen, ((0, 0), (0, down), (0, right)), mode="symmetric")
    with torch.inference_mode():
        batch = torch.from_numpy(padded)[None].contiguous(memory_format=torch.channels_last)
        maps = torch.sigmoid(network(batch)[0, :, :height, :width]).numpy()
    return Prediction(np.ascontiguousarray(maps[0]), core=np.ascontiguousarray(maps[3]))


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
    """Area-weighted median equivalent diameter in pixels of what is inside; 0 where nothing is.

    Weighted by area, because debris outnumbers spheroids: a plain median would ask for the second pass there.
    """
    count, _, stats, _ = cv2.connectedComponentsWithStats((inside >= 0.5).view(np.uint8), connectivity=8)
    if count < 2:
        return 0.0
    areas = np.sort(stats[1:, cv2.CC_STAT_AREA])
    middle = areas[np.searchsorted(np.cumsum(areas), areas.sum() / 2)]
    return float(np.sqrt(4 * middle / np.pi))


def _finite(pixels: Map) -> Map:
    """Put the median where a float image has no number."""
    sound = np.isfinite(pixels)
    if sound.all():
        return pixels
    return np.where(sound, pixels, np.median(pixels[sound]) if sound.any() else 0).astype(np.float32)


@cache
def _shipped() -> UNet:
    import torch  # noqa: PLC0415

    from core.segmentation.weights import load  # noqa: PLC0415

    torch.set_num_threads(
        1
    )  # several workers share the cores; more threads each only get into each other's way
    return load()
