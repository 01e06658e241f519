"""One reader for each format: bytes in, the pixels of each wanted page out, every limit checked first.

Pillow decodes up to 8 bits and OpenCV more, each what tests have shown it to decode bit for bit. Readers
raise errors of core.errors where they know the reason; whatever else is raised means a damaged file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from core.errors import ImageError, ImageTooLarge, PixelsUnsupported
from core.images import jpeg, pixel_size, png, tiff_support, tiff_tags
from core.images.pixel_size import PixelSize, Resolution
from core.models import Limits

Pixels = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pixels of one page, and the width and height that its header promised."""

    page: int
    pixels: Pixels
    size: tuple[int, int]
    um_per_px: PixelSize | None = None


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"This image has {width:,} × {height:,} pixels; at most {limits.max_pixels:,} are taken. "
            "Crop it or save it at a lower resolution."
        )


# The plugins are called by name: Image.open would try 43 formats, and its limit on pixels is a global.


def _png(data: bytes, limits: Limits, wanted: int | None) -> Iterator[Decoded]:
    header = png.read_header(data)
    _check_size(header.width, header.height, limits)
    png.check_chunks(data)
    if wanted in {None, 1}:
        if header.bits > 8:
            pixels = _deep(data, header.channels)
        else:
            pixels = _shallow(PngImagePlugin.PngImageFile(io.BytesIO(data)))
        yield Decoded(1, pixels, (header.width, header.height))


def _jpeg(data: bytes, limits: Limits, wanted: int | None) -> Iterator[Decoded]:
    jpeg.check_scans(data)
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    _check_size(*image.size, limits)
    if wanted in {None, 1}:
        yield Decoded(1, _shallow(image), image.size, _exif_pixel_size(image))


def _bmp(data: bytes, limits: Limits, wanted: int | None) -> Iterator[Decoded]:
    image = BmpImagePlugin.BmpImageFile(io.BytesIO(data))
    _check_size(*image.size, limits)
    if image.tile and "BGR;1" in str(image.tile[0].args):  # BGR;15, BGR;16: 16 bits for three colours
        raise PixelsUnsupported("This BMP has 5 bits a colour. Save it as PNG or TIFF.")
    if wanted in {None, 1}:
        yield Decoded(1, _shallow(image), image.size)


def _tiff(data: bytes, limits: Limits, wanted: int | None) -> Iterator[Decoded]:
    directories = tiff_tags.directories(data, limits.max_pages)
    file = io.BytesIO(data)
    for page in tiff_support.pages(directories, limits):
        number = page.directory.number
        if wanted in {None, number}:
            size = _tiff_pixel_size(page.directory, directories[0], "TIFF resolution tag")
            tiff_tags.put_first(file, page.directory)
            pixels = _deep(file.getvalue(), page.samples) if page.bits > 8 else _shallow(_TiffFile(file))
            yield Decoded(number, pixels, (page.width, page.height), size)


READERS = {"PNG": _png, "JPEG": _jpeg, "BMP": _bmp, "TIFF": _tiff}


class _TiffFile(TiffImagePlugin.TiffImageFile):
    """Pillow's reader without its own limit on pixels, which is a global; ours has been checked."""

    def load_prepare(self) -> None:
        ImageFile.ImageFile.load_prepare(self)


_FROM_BGR = {
    (3, 3): cv2.COLOR_BGR2RGB,
    (4, 4): cv2.COLOR_BGRA2RGBA,
    (4, 3): cv2.COLOR_BGRA2RGB,  # OpenCV makes an alpha of a PNG's transparent colour; none is stored
}


def _deep(data: bytes, channels: int) -> Pixels:
    """Decode 16-bit and float pixels with OpenCV, which keeps them where Pillow reduces or swaps them."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype not in {np.dtype(np.uint16), np.dtype(np.float32)}:
        raise ValueError("OpenCV could not decode it")
    if channels == 1 and pixels.ndim == 2:
        return np.asarray(pixels)
    return np.asarray(cv2.cvtColor(pixels, _FROM_BGR[pixels.shape[2], channels]))


def _shallow(image: Image.Image) -> Pixels:
    """Decode pixels of up to 8 bits with Pillow."""
    image.load()
    if image.mode == "P":
        image.info.pop("transparency", None)
        image = image.convert("RGB")
    elif image.mode == "LA":
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    if image.mode not in {"L", "RGB", "RGBA"}:
        raise PixelsUnsupported(
            f"This image stores its colours as {image.mode}, which could only be read by converting them. "
            "Save it as grey or RGB."
        )
    return np.asarray(image)


def _tiff_pixel_size(page: tiff_tags.Directory, first: tiff_tags.Directory, tag: str) -> PixelSize | None:
    """Stacks describe themselves once, on their first page."""
    resolution = Resolution(
        page.ratio_of(tiff_support.X_RESOLUTION),
        page.ratio_of(tiff_support.Y_RESOLUTION),
        page.number_of(tiff_support.RESOLUTION_UNIT, 2),
    )
    text = page.text_of(tiff_support.DESCRIPTION) or first.text_of(tiff_support.DESCRIPTION)
    return pixel_size.read(text, resolution, tag)


def _exif_pixel_size(image: Image.Image) -> PixelSize | None:
    """Exif is a small TIFF within the JPEG; a damaged one says nothing."""
    exif = image.info.get("exif", b"").removeprefix(b"Exif\0\0")
    if not exif.startswith(tiff_tags.SIGNATURES):
        return None
    try:
        directory = tiff_tags.directories(exif, max_pages=2)[0]
        return _tiff_pixel_size(directory, directory, "Exif resolution tag")
    except ImageError:
        return None
