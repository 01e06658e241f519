"""What the network learns to draw from a label image: inside, border, depth, core."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Core = NDArray[np.bool_] | None

UNKNOWN = -1.0  # where a target says nothing, and the loss asks for nothing

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_BAND = np.ones((3, 3), np.uint8)


def targets(labels: Labels, core: Core) -> Floats:
    """Turn labels (Y, X) into float32 (4, Y, X), in the order of the network's heads.

    inside: 1 on bodies. border: 1 on a band about 4 px wide along every outline, also where bodies touch.
    depth: distance to the outline as a share of the body's greatest, 1 in the middle and 0 outside.
    core: 1 on dense bodies without their loose rims, UNKNOWN everywhere where nobody said which those are.
    """
    wide = labels.astype(np.float32)
    outline = cv2.dilate(wide, _CROSS) != cv2.erode(wide, _CROSS)
    inside = labels > 0
    between = outline & inside & _meets_another(labels)
    free = (inside & ~between).astype(np.uint8)
    border = cv2.dilate(outline.astype(np.uint8), _BAND)
    dense = np.full(labels.shape, UNKNOWN, np.float32) if core is None else core
    return np.stack([inside, border, _depth(free), dense]).astype(np.float32)


def _meets_another(labels: Labels) -> NDArray[np.bool_]:
    """True on pixels that have a pixel of another body beside them."""
    high = np.where(labels > 0, labels, 0).astype(np.float32)
    low = np.where(labels > 0, labels, np.inf).astype(np.float32)
    meets: NDArray[np.bool_] = cv2.dilate(high, _BAND) > cv2.erode(low, _BAND)
    return meets


def _depth(free: NDArray[np.uint8]) -> Floats:
    """Distance to the outline as a share of each part's greatest; the image's edge is no outline."""
    if not free.any():
        return np.zeros(free.shape, np.float32)
    far = cv2.distanceTransform(free, cv2.DIST_L2, 5) if not free.all() else np.ones(free.shape, np.float32)
    count, parts = cv2.connectedComponents(free, connectivity=4, ltype=cv2.CV_32S)
    greatest = np.ones(count, np.float32)
    greatest[1:] = ndimage.maximum(far, parts, np.arange(1, count))
    depth: Floats = (far / greatest[parts]).astype(np.float32)
    return depth
