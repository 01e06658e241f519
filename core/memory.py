"""What segmenting an image takes of the memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ITEM_BYTES = {"uint8": 1, "uint16": 2, "float32": 4}

# Peak of one job above its file and its pixels, measured on 20 and 80 megapixels of 16 bits, both engines: 10
# bytes a pixel for labels, masks and maps at the image's own size, and 25 MB whatever the size.
WORK_BYTES_A_PIXEL = 10
WORK_BYTES = 25 * 2**20


def estimated_bytes(image: Mapping[str, Any]) -> int:
    """Peak of segmenting an image by its ``width``, ``height``, ``channels``, ``dtype`` and ``n_bytes``."""
    pixels = image["width"] * image["height"]
    raw = pixels * image["channels"] * _ITEM_BYTES.get(image["dtype"], 4)
    return int(image["n_bytes"] + raw + WORK_BYTES_A_PIXEL * pixels + WORK_BYTES)
