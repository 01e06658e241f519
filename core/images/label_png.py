"""Label images as files: 16-bit PNG, 0 is background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import SegmentationError

MAX_LABELS = 2**16 - 1  # what 16 bits can tell apart


def encode(labels: NDArray[np.int32]) -> bytes:
    """Return labels (Y, X) as a 16-bit PNG.

    Raises:
        SegmentationError: there are more of them than 16 bits can tell apart.
    """
    highest = int(labels.max(initial=0))
    if highest > MAX_LABELS:
        raise SegmentationError(
            f"{highest:,} spheroids were found; a 16-bit mask numbers at most {MAX_LABELS:,}. "
            "Raise the smallest size that counts."
        )
    done, encoded = cv2.imencode(".png", labels.astype(np.uint16))
    if not done:
        raise ValueError(f"OpenCV could not write a PNG of {labels.shape} labels")
    return bytes(encoded)


def decode(data: bytes) -> NDArray[np.int32]:
    """Return the labels (Y, X) of what ``encode`` made.

    Raises:
        ValueError: it is no such PNG.
    """
    labels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if labels is None or labels.ndim != 2:
        raise ValueError("not a label image")
    return np.asarray(labels, np.int32)
