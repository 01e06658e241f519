"""Estimate the memory that work on an image takes, and tune the C library's allocator.

Every figure counts the file's bytes and the decoded pixels. They were measured as the growth of a fresh
process (VmHWM) over images of 20 and 80 megapixels.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

ITEM_BYTES = {"uint8": 1, "uint16": 2, "float32": 4}
FIXED_BYTES = 25 * 2**20  # whatever the size

# Of glibc's malloc.h. These are what glibc itself ends at where nothing tells it otherwise.
_TRIM_THRESHOLD, _TRIM_BYTES = -1, 128 * 2**20
_MMAP_THRESHOLD, _MMAP_BYTES = -3, 32 * 2**20


class ImageExtent(Protocol):
    """The properties of an image that decide how much memory it takes; ``core.models.Image`` has them."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def dtype(self) -> str: ...

    @property
    def n_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Extent:
    """An ``ImageExtent`` of its own. ``n_bytes``: size of the file."""

    width: int
    height: int
    channels: int
    dtype: str
    n_bytes: int

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Extent:
        """Make one from a row of a table with these columns."""
        return cls(*(row[name] for name in cls.__slots__))


def decoding_bytes(image: ImageExtent) -> int:
    """Peak of reading a file and decoding one page of it: file, pixels, a copy of either, Pillow's own."""
    pillow = 0 if image.dtype != "uint8" else _pixels(image) * (1 if image.channels == 1 else 4)
    copies = max(image.n_bytes, _pixel_bytes(image))
    return image.n_bytes + _pixel_bytes(image) + copies + pillow + FIXED_BYTES


def rendering_bytes(image: ImageExtent) -> int:
    """Peak of decoding an image and making a picture of it for the screen, at its own size."""
    return max(decoding_bytes(image), 4 * _values(image) + FIXED_BYTES)


def overlay_bytes(image: ImageExtent) -> int:
    """Peak of decoding an image and drawing its outlines over it, at its own size; the pixels are let go."""
    return max(decoding_bytes(image), 10 * _pixels(image) + FIXED_BYTES)


def segmenting_bytes(image: ImageExtent) -> int:
    """Peak of decoding and segmenting an image: labels, masks and maps take 10 bytes a pixel."""
    return max(decoding_bytes(image), _pixel_bytes(image) + 10 * _pixels(image) + FIXED_BYTES)


def _pixels(image: ImageExtent) -> int:
    return image.width * image.height


def _values(image: ImageExtent) -> int:
    return _pixels(image) * image.channels


def _pixel_bytes(image: ImageExtent) -> int:
    return _values(image) * ITEM_BYTES.get(image.dtype, 4)


def keep_freed_memory() -> None:
    """Have glibc keep freed memory for the next allocation, in the whole process; nothing elsewhere.

    Segmenting allocates and frees tens of megabytes all the time. If each block went back to the system, as
    with glibc's initial thresholds and with those of Dask's workers, it would have to be zeroed again.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _TRIM_BYTES)
        mallopt(_MMAP_THRESHOLD, _MMAP_BYTES)
