"""Which decoder reads a TIFF page exactly, decided from its tags alone.

Pillow and OpenCV alter some of what they read and say nothing: they scale 16-bit colour to 8 bits, wrap
32-bit numbers, swap the bytes of compressed big-endian floats, invert negatives. They are given what tests
have shown to arrive bit for bit; what else tifffile reads goes to a process of its own; the rest is refused.

Source: TIFF 6.0 (Adobe, 1992), sections 3 to 8 and 15 to 22.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from core.errors import PixelsUnsupported
from core.images.tiff_pages import GREY, PLAIN, WHOLE, TiffPage
from core.images.tiff_tags import Directory

_FILL_ORDER, _PREDICTOR, _COLOURS, _EXTRA_SAMPLES = 266, 317, 320, 338
_RGB, _PALETTE, _YCBCR = 2, 3, 6
_LZW, _JPEG, _DEFLATE, _PACKBITS = 5, 7, (8, 32946), 32773
_SIGNED, _FLOAT = 2, 3
_HORIZONTAL = 2  # predictor: differences of neighbours
_COMPRESSIONS = {PLAIN, _LZW, _JPEG, *_DEFLATE, _PACKBITS}
_LIGHT = {
    0: "as a negative (white is zero)",
    5: "in printing colours (CMYK)",
    8: "in CIELab colours",
}

_Layout = tuple[int, int, tuple[int, ...]]  # photometric interpretation, samples, extra samples
_ALPHA = (2,)  # "unassociated": the colours are as they were, not multiplied by it
_PURE: set[_Layout] = {(GREY, 1, ())}
_COLOURED = {*_PURE, (_RGB, 3, ()), (_RGB, 4, ()), (_RGB, 4, _ALPHA)}
_JPEGS = {*_PURE, (_RGB, 3, ()), (_YCBCR, 3, ())}
_SHALLOW: dict[int, set[_Layout]] = {  # by bits
    8: {*_COLOURED, (GREY, 2, _ALPHA)},
    4: _PURE,
    2: _PURE,
    1: _PURE,
}
# Sample formats and bits that become float32, where that holds every value of the page.
_AS_FLOAT = {
    *((_SIGNED, bits) for bits in (8, 16, 32, 64)),
    *((WHOLE, bits) for bits in (32, 64)),
    *((_FLOAT, bits) for bits in (16, 64)),
}
_CHILD_COMPRESSIONS = {PLAIN, *_DEFLATE, _PACKBITS}


class Decoder(Enum):
    """Decoders of a page."""

    PILLOW = "Pillow"
    OPENCV = "OpenCV"
    TIFFFILE = "tifffile, in a process of its own"


@dataclass(frozen=True, slots=True)
class Decoding:
    """Decoder of a page, and channels and type of the pixels that it returns.

    ``as_float``: the numbers are of another type in the file.
    """

    decoder: Decoder
    channels: int
    dtype: str
    as_float: bool = False


def decoding_of(page: TiffPage) -> Decoding:
    """Return how a page is decoded without a change to its values.

    Raises:
        PixelsUnsupported: that cannot be done.
    """
    light = _LIGHT.get(page.photometric)
    if light:
        raise PixelsUnsupported(f"This TIFF stores its pixels {light}. Save it as ordinary grey or RGB.")
    if page.compression not in _COMPRESSIONS:
        raise PixelsUnsupported(
            f"This TIFF is compressed in a way that is not read here (number {page.compression}). "
            "Save it uncompressed or with LZW or deflate."
        )
    extra = tuple(page.directory.array(_EXTRA_SAMPLES).tolist())
    layout = (page.photometric, page.samples, extra)
    decoding = None
    if page.directory.number_of(_FILL_ORDER, 1) == 1:
        decoding = _shallow(page, layout) or _deep(page, layout) or _in_child(page, layout)
    if decoding is None:
        raise PixelsUnsupported(
            f"This TIFF holds {page.samples} channel(s) of {page.bits}-bit {_kind(page)} in a way that could "
            "only be read by changing them. Save each channel as a page of 8 or 16 bits, or of 32-bit float."
        )
    return decoding


def _shallow(page: TiffPage, layout: _Layout) -> Decoding | None:
    if page.compression == _JPEG:
        exact = page.bits == 8 and not page.planar and layout in _JPEGS
    elif page.photometric == _PALETTE:
        exact = layout == (_PALETTE, 1, ()) and page.bits in _SHALLOW and _has_8_bit_colours(page.directory)
    else:
        exact = layout in _SHALLOW.get(page.bits, ())
    if not exact or page.sample_format != WHOLE:
        return None
    # Colours of a palette are RGB, grey with alpha is RGB with alpha.
    channels = {(_PALETTE, 1): 3, (GREY, 2): 4}.get((page.photometric, page.samples), page.samples)
    return Decoding(Decoder.PILLOW, channels, "uint8")


def _deep(page: TiffPage, layout: _Layout) -> Decoding | None:
    dtype = {(WHOLE, 16): "uint16", (_FLOAT, 32): "float32"}.get((page.sample_format, page.bits))
    if dtype is None or layout not in _COLOURED or page.planar or page.compression == _JPEG:
        return None
    return Decoding(Decoder.OPENCV, page.samples, dtype)


def _in_child(page: TiffPage, layout: _Layout) -> Decoding | None:
    number = (page.sample_format, page.bits)
    predictor = page.directory.number_of(_PREDICTOR, 1)
    if layout not in _COLOURED or page.compression not in _CHILD_COMPRESSIONS:
        return None
    if predictor != 1 and (predictor != _HORIZONTAL or page.sample_format == _FLOAT or page.bits > 32):
        return None
    if number in _AS_FLOAT:
        return Decoding(Decoder.TIFFFILE, page.samples, "float32", as_float=True)
    if number in {(WHOLE, 16), (_FLOAT, 32)}:  # channels in planes
        return Decoding(Decoder.TIFFFILE, page.samples, "uint16" if page.bits == 16 else "float32")
    return None


def _kind(page: TiffPage) -> str:
    kinds = {WHOLE: "whole numbers", _SIGNED: "numbers with a sign", _FLOAT: "floats"}
    return kinds.get(page.sample_format, "complex numbers")


def _has_8_bit_colours(directory: Directory) -> bool:
    """Return whether the 16-bit colour table loses nothing in 8 bits: programs write v·256 or v·257."""
    table = directory.array(_COLOURS)
    high, low = table >> 8, table & 255
    return len(table) > 0 and bool(((low == 0) | (low == high)).all())
