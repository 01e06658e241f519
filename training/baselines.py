"""What others would use, scored beside our engines: global and local thresholds, and spheroidkit.

spheroidkit is not needed to run anything else: ``pip install --no-deps -r requirements-bench.txt``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu, threshold_sauvola

from core.segmentation.engines.unet import normalise
from core.segmentation.outlines.boundaries import Labels, Mask
from core.segmentation.outlines.holes import fill_own
from core.segmentation.outlines.postprocess import components, keep, too_small
from core.segmentation.outlines.split import split

Grey = NDArray[Any]
Outline = Callable[[Grey], Labels]

SMALLEST = 0.05  # of the typical area, as our engines' default
WINDOW = 0.35  # Sauvola's, of the shorter side: wider than a typical body
SAUVOLA_K = 0.1


def otsu(grey: Grey) -> Labels:
    """Otsu's threshold; bodies are whatever is rarer."""
    image = normalise(grey.astype(np.float32))
    return _bodies(image > threshold_otsu(image) if np.ptp(image) else np.zeros(image.shape, np.bool_))


def sauvola(grey: Grey) -> Labels:
    """Sauvola's local threshold; bodies are whatever is rarer."""
    image = normalise(grey.astype(np.float32))
    window = int(WINDOW * min(image.shape)) | 1
    return _bodies(image > threshold_sauvola(image + 1.5, window, k=SAUVOLA_K) - 1.5)


def spheroidkit(grey: Grey) -> Labels:
    """spheroidkit's published defaults, on the eight bits that it works with; one central body."""
    from spheroidkit.config import DEFAULT  # noqa: PLC0415  # optional
    from spheroidkit.core.preprocess import preprocess  # noqa: PLC0415
    from spheroidkit.core.segment import segment  # noqa: PLC0415

    eight = np.clip((normalise(grey.astype(np.float32)) + 1) * 127.5, 0, 255).astype(np.uint8)
    flat = preprocess(cv2.cvtColor(eight, cv2.COLOR_GRAY2RGB), DEFAULT.preprocess)
    return components(np.asarray(segment(flat, DEFAULT.segment) > 0).astype(np.uint8))


BASELINES: Mapping[str, Outline] = {"otsu": otsu, "sauvola": sauvola, "spheroidkit": spheroidkit}


def _bodies(bright: NDArray[np.bool_]) -> Labels:
    mask: Mask = (bright if bright.mean() < 0.5 else ~bright).astype(np.uint8)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    labels = split(fill_own(components(np.asarray(opened))).astype(bool).view(np.uint8))
    return keep(labels, ~too_small(labels, SMALLEST))
