"""Readers of formats that hold one picture a file: PNG, JPEG and BMP.

Pillow decodes up to 8 bits and OpenCV more, each what tests have shown it to decode bit for bit.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin

from core.errors import ImageError, PixelsUnsupported
from core.images import jpeg, png, tiff_tags
from core.images.pixel_size import PixelSize
from core.images.reader import Pixels, Plane, Reader, check_size
from core.images.tiff_pages import tiff_pixel_size
from core.models import Limits

# What Pillow's modes become: channels, and the mode that pixels are converted to without loss.
_MODES = {
    "1": (1, "L"),
    "L": (1, "L"),
    "P": (3, "RGB"),
    "RGB": (3, "RGB"),
    "LA": (4, "RGBA"),
    "RGBA": (4, "RGBA"),
}
_FROM_BGR = {
    (3, 3): cv2.COLOR_BGR2RGB,
    (4, 4): cv2.COLOR_BGRA2RGBA,
    (4, 3): cv2.COLOR_BGRA2RGB,  # OpenCV makes an alpha of a PNG's transparent colour; none is stored
}


def decode_with_opencv(data: bytes, channels: int) -> Pixels:
    """Decode 16-bit and float pixels, which OpenCV keeps where Pillow reduces or swaps them."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype not in {np.dtype(np.uint16), np.dtype(np.float32)}:
        raise ValueError("OpenCV could not decode it")
    if channels == 1 and pixels.ndim == 2:
        return np.asarray(pixels)
    return np.asarray(cv2.cvtColor(pixels, _FROM_BGR[pixels.shape[2], channels]))


def decode_with_pillow(image: Image.Image) -> Pixels:
    """Decode pixels of up to 8 bits.

    Raises:
        PixelsUnsupported: they are in colours that could only be converted.
    """
    _, mode = _mode(image)
    image.load()
    if image.mode == "P":
        image.info.pop("transparency", None)
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _mode(image: Image.Image) -> tuple[int, str]:
    """Return the channels that an image will have, and Pillow's name of them."""
    if image.mode not in _MODES:
        raise PixelsUnsupported(
            f"This image stores its colours as {image.mode}, which could only be read by converting them. "
            "Save it as grey or RGB."
        )
    return _MODES[image.mode]


class _SinglePicture(Reader):
    """A file of one plane. It is read when it is opened, to be checked, and again to be decoded."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path: Path | None = path
        self.planes = (self._checked(path.read_bytes(), limits),)

    def _checked(self, data: bytes, limits: Limits) -> Plane:
        """Check a file before it is decoded, and return its one plane."""
        raise NotImplementedError

    def _decoded(self, data: bytes, plane: Plane) -> Pixels:
        """Return the pixels of a file that has been checked."""
        raise NotImplementedError

    def decode(self, plane: Plane) -> Pixels:
        return self._decoded(self.file_of(plane), plane)

    def file_of(self, plane: Plane) -> bytes:
        if self._path is None:
            raise ValueError("the file has been closed")
        return self._path.read_bytes()

    def close(self) -> None:
        self._path = None


# Plugins are called by name: Image.open would try 43 formats, and its limit on pixels is a global.
def _image(plugin: type[ImageFile.ImageFile], data: bytes) -> ImageFile.ImageFile:
    return plugin(io.BytesIO(data))


class PngReader(_SinglePicture):
    """PNG of 1 to 16 bits."""

    format_name = "PNG"

    def _checked(self, data: bytes, limits: Limits) -> Plane:
        header = png.read_header(data)
        check_size(header.width, header.height, limits)
        png.check_chunks(data)
        self._bits = header.bits
        dtype = "uint16" if header.bits > 8 else "uint8"
        return Plane(1, header.width, header.height, header.channels, dtype, len(data))

    def _decoded(self, data: bytes, plane: Plane) -> Pixels:
        if self._bits > 8:
            return decode_with_opencv(data, plane.channels)
        return decode_with_pillow(_image(PngImagePlugin.PngImageFile, data))


class JpegReader(_SinglePicture):
    """JPEG, grey or colour; of a file that holds several pictures (MPO), the first."""

    format_name = "JPEG"

    def _checked(self, data: bytes, limits: Limits) -> Plane:
        jpeg.check_scans(data)
        image = _image(JpegImagePlugin.JpegImageFile, data)
        check_size(*image.size, limits)
        return Plane(1, *image.size, _mode(image)[0], "uint8", len(data), _exif_pixel_size(image))

    def _decoded(self, data: bytes, plane: Plane) -> Pixels:
        return decode_with_pillow(_image(JpegImagePlugin.JpegImageFile, data))


class BmpReader(_SinglePicture):
    """BMP of 1, 8, 24 or 32 bits a pixel."""

    format_name = "BMP"

    def _checked(self, data: bytes, limits: Limits) -> Plane:
        image = _image(BmpImagePlugin.BmpImageFile, data)
        check_size(*image.size, limits)
        if image.tile and "BGR;1" in str(image.tile[0].args):  # BGR;15, BGR;16: 16 bits for three colours
            raise PixelsUnsupported("This BMP has 5 bits a colour. Save it as PNG or TIFF.")
        return Plane(1, *image.size, _mode(image)[0], "uint8", len(data))

    def _decoded(self, data: bytes, plane: Plane) -> Pixels:
        return decode_with_pillow(_image(BmpImagePlugin.BmpImageFile, data))


def _exif_pixel_size(image: Image.Image) -> PixelSize | None:
    """Exif is a small TIFF within the JPEG; a damaged one says nothing."""
    exif = image.info.get("exif", b"").removeprefix(b"Exif\0\0")
    try:
        directory = tiff_tags.directories(io.BytesIO(exif), max_pages=2)[0]
        return tiff_pixel_size(directory, directory, "Exif resolution tag")
    except ImageError:
        return None
