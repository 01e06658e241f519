"""What segmenting an image takes of the memory, and how the C library hands it out."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from typing import Any

_ITEM_BYTES = {"uint8": 1, "uint16": 2, "float32": 4}

# Peak of one job above its file and its pixels, measured on 20 and 80 megapixels of 16 bits, both engines: 10
# bytes a pixel for labels, masks and maps at the image's own size, and 25 MB whatever the size.
WORK_BYTES_A_PIXEL = 10
WORK_BYTES = 25 * 2**20

# Of glibc's malloc.h. These are what glibc itself ends at where nothing tells it otherwise.
_TRIM_THRESHOLD, _TRIM_BYTES = -1, 128 * 2**20
_MMAP_THRESHOLD, _MMAP_BYTES = -3, 32 * 2**20


def estimated_bytes(image: Mapping[str, Any]) -> int:
    """Peak of segmenting an image by its ``width``, ``height``, ``channels``, ``dtype`` and ``n_bytes``."""
    pixels = image["width"] * image["height"]
    raw = pixels * image["channels"] * _ITEM_BYTES.get(image["dtype"], 4)
    return int(image["n_bytes"] + raw + WORK_BYTES_A_PIXEL * pixels + WORK_BYTES)


def keep_freed() -> None:
    """Keep what segmenting frees for its next step: in the whole process, with glibc only.

    It takes and frees tens of megabytes all the time. Given back to the system at once, as glibc does at
    first and Dask's workers always, each piece is cleared anew when it is next taken.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _TRIM_BYTES)
        mallopt(_MMAP_THRESHOLD, _MMAP_BYTES)
