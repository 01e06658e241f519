"""Image files in, exact pixels out: what cannot be read as it is stored is refused with the reason.

Decided here, and the same for every format:

- The content decides the format, never the name: PNG, JPEG, BMP or TIFF, and nothing else is tried.
- Rotation tags (Exif, TIFF) are ignored: pixels come in the order in which they are stored, as ImageJ shows
  them, so masks and coordinates match the file.
- 8-bit palettes become the RGB colours that they stand for; a palette's transparency is left out.
- Grey of 1, 2 or 4 bits is spread over 0 to 255 (times 255, 85 or 17), as the PNG standard has it.
- Alpha is kept as a fourth channel; grey with alpha becomes R = G = B = grey with alpha.
- A stack's pages are all read; of a JPEG that holds several pictures (MPO), the first.
- CMYK, CIELab and negatives (white is zero) are refused, since reading them is a conversion.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import cv2
import numpy as np

from core.errors import EmptyFile, ImageError, ImageTooLarge, ImageUnreadable, NotAnImage, PixelsUnsupported
from core.images import jpeg, png, tiff_tags
from core.images.decoders import READERS, Decoded, Pixels
from core.models import Limits, PageFacts, Raster

_UNREADABLE = (
    "This {} file is damaged or was cut short, so it cannot be opened. "
    "Copy it again from the microscope's computer."
)
_CAMERA_BITS = (8, 10, 12, 14, 16)


class Format(Enum):
    """The formats that are read, with the names that people know them by."""

    PNG = "PNG"
    JPEG = "JPEG"
    BMP = "BMP"
    TIFF = "TIFF"


def inspect(data: bytes, limits: Limits) -> tuple[PageFacts, ...]:
    """Return the facts of every page, having decoded each one once to prove that it can be read.

    Sizes, pages and layouts are checked from the headers before a pixel is decoded. Pages are numbered from 1
    in the order of the file; previews are passed over, so that numbers may be missing.

    Raises:
        EmptyFile, NotAnImage, ImageTooLarge, PixelsUnsupported, ImageUnreadable
    """
    return tuple(raster.facts for raster in _rasters(data, limits, None))


def decode(data: bytes, page: int, limits: Limits) -> Raster:
    """Return one page's pixels exactly as stored, read-only.

    They are uint8, uint16 or float32, (Y, X) for grey, (Y, X, 3) for RGB, (Y, X, 4) for RGB with alpha.

    Raises:
        EmptyFile, NotAnImage, ImageTooLarge, PixelsUnsupported
        ImageUnreadable: also where the file has no such page.
    """
    for raster in _rasters(data, limits, page):
        return raster
    raise ImageUnreadable(f"This file has no page {page}. It may have been replaced; upload it again.")


def sniff(data: bytes) -> Format:
    """Return the format that the first bytes are of.

    Raises:
        EmptyFile, NotAnImage
    """
    if not data:
        raise EmptyFile("This file is empty (0 bytes). Copy it again from the microscope's computer.")
    if data.startswith(png.SIGNATURE):
        return Format.PNG
    if data.startswith(jpeg.SIGNATURE):
        return Format.JPEG
    if data.startswith(tiff_tags.SIGNATURES):
        return Format.TIFF
    if data.startswith(b"BM") and len(data) > 26:  # two letters prove little; the decoder checks the rest
        return Format.BMP
    raise NotAnImage(
        "This file is not a PNG, JPEG, BMP or TIFF image, whatever its name says. "
        "Export the picture from your microscope's program as TIFF or PNG."
    )


def to_grey(pixels: Pixels) -> Pixels:
    """Return (Y, X): the same array where it is grey already, otherwise its luma as float32, alpha ignored.

    Luma is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) in the unit of the input, not scaled to 8 bits.
    """
    if pixels.ndim == 2:
        return pixels
    code = cv2.COLOR_RGB2GRAY if pixels.shape[2] == 3 else cv2.COLOR_RGBA2GRAY
    grey: Pixels = cv2.cvtColor(pixels.astype(np.float32), code)
    return grey


def _rasters(data: bytes, limits: Limits, wanted: int | None) -> Iterator[Raster]:
    """Yield the wanted page, or all of them."""
    kind = sniff(data)
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            f"This file has {len(data) / 2**20:,.0f} MiB; at most {limits.max_bytes / 2**20:,.0f} MiB are "
            "taken. Crop it or split the stack."
        )
    try:
        for decoded in READERS[kind.value](data, limits, wanted):
            yield _raster(decoded)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageTooLarge(
            "There is not enough memory to open this image. Close others or crop it."
        ) from error
    except Exception as error:
        # The one broad catch: decoders of damaged and hostile files raise OSError, ValueError, SyntaxError,
        # struct.error, cv2.error and more, and each of them means the same to the person with the file.
        raise ImageUnreadable(_UNREADABLE.format(kind.value)) from error


def _raster(decoded: Decoded) -> Raster:
    pixels = np.ascontiguousarray(decoded.pixels)
    if pixels.shape[:2] != decoded.size[::-1]:
        raise ImageUnreadable(
            "This file's header gives another size than its pixels have. Save it again as TIFF."
        )
    if pixels.dtype == np.float32 and not np.isfinite([pixels.min(), pixels.max()]).all():
        raise PixelsUnsupported(
            "This image has pixels without a value (NaN or infinite). Replace them "
            "(in Fiji: Process > Noise > Remove NaNs) and save it again."
        )
    pixels.flags.writeable = False
    um_per_px, source = decoded.um_per_px or (None, None)
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    depth = _bit_depth(pixels)
    return Raster(
        pixels,
        PageFacts(decoded.page, width, height, channels, pixels.dtype.name, depth, um_per_px, source),
    )


def _bit_depth(pixels: Pixels) -> int:
    """Return the bits in use: the least of a camera's usual depths that holds the brightest 16-bit pixel."""
    if pixels.dtype != np.uint16:
        return pixels.dtype.itemsize * 8
    used = int(pixels.max()).bit_length()
    return next(bits for bits in _CAMERA_BITS if bits >= used)
