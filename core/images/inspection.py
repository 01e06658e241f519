"""Open image files: what cannot be read exactly as it is stored is refused with the reason.

Decided here, and the same for every format:

- The content decides the format, never the name.
- Rotation tags (Exif, TIFF) are ignored: pixels come in the order in which they are stored, as ImageJ shows
  them, so masks and coordinates match the file.
- 8-bit palettes become the RGB colours that they stand for; a palette's transparency is left out.
- Grey of 1, 2 or 4 bits is spread over 0 to 255 (times 255, 85 or 17), as the PNG standard has it.
- Alpha is kept as a fourth channel; grey with alpha becomes R = G = B = grey with alpha.
- A stack's pages are all read; of a JPEG that holds several pictures (MPO), the first.
- CMYK, CIELab and negatives (white is zero) are refused, since reading them is a conversion.
"""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import ImageTooLarge
from core.images.formats import HEAD_BYTES, sniff
from core.images.reader import Reader, decoding
from core.models import Limits, PageFacts, Raster


def open_image(path: Path, limits: Limits) -> Reader:
    """Open an image file, whose sizes, pages and layouts are checked from its headers.

    Raises:
        EmptyFile, NotAnImage, ImageTooLarge, PixelsUnsupported, ImageUnreadable
        StorageError: the disk refuses.
    """
    with decoding("image"), path.open("rb") as file:
        n_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        form = sniff(file.read(HEAD_BYTES), n_bytes)
    if n_bytes > limits.max_bytes:
        raise ImageTooLarge.of_bytes(limits.max_bytes)
    assert form.open is not None  # sniff returns only formats that are read
    with decoding(form.name):
        return form.open(path, limits)


def inspect(path: Path, limits: Limits) -> tuple[PageFacts, ...]:
    """Return the facts of every page, having decoded each one to prove that it can be read.

    Raises:
        EmptyFile, NotAnImage, ImageTooLarge, PixelsUnsupported, ImageUnreadable
        StorageError: the disk refuses.
    """
    with open_image(path, limits) as reader:
        return tuple(reader.read(plane).facts for plane in reader.planes)


def decode(path: Path, page: int, limits: Limits) -> Raster:
    """Return the pixels of one page exactly as they are stored, read-only; as ``Reader.read``.

    Raises:
        EmptyFile, NotAnImage, ImageTooLarge, PixelsUnsupported
        ImageUnreadable: also where the file has no such page.
        StorageError: the disk refuses.
    """
    with open_image(path, limits) as reader:
        return reader.read(reader.plane(page))
