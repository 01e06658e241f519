"""Which pages of a TIFF can be taken exactly as they are, decided from their tags alone.

Pillow and OpenCV alter some of what they read and say nothing: they scale 16-bit colour to 8 bits, wrap
32-bit numbers, swap the bytes of compressed big-endian floats, invert negatives, leave pages half empty. What
is not known to arrive exactly is refused here, with the reason.

Source: TIFF 6.0 (Adobe, 1992), sections 3 to 8 and 15 to 22.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageTooLarge, PixelsUnsupported
from core.images import pixel_size
from core.images.pixel_size import PixelSize, Resolution
from core.images.reader import check_size
from core.images.tiff_tags import Directory, damaged
from core.models import Limits

_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 270, 282, 283, 296

_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
_FILL_ORDER, _STRIPS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR = 266, 273, 277, 278, 279, 284
_COLOURS, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 320, 322, 323, 324, 325
_EXTRA_SAMPLES, _SAMPLE_FORMAT, _STK_PLANES = 338, 339, 33629

_GREY, _RGB, _PALETTE, _YCBCR = 1, 2, 3, 6
_PLAIN, _JPEG = 1, 7
_COMPRESSIONS = {_PLAIN, 5, _JPEG, 8, 32773, 32946}  # none, LZW, JPEG, deflate (two numbers), PackBits
_WHOLE, _FLOAT = 1, 3
_PREVIEW_SHRINK = 4
_MAX_TILE_PIXELS = 2**24
_MAX_STACK = 10  # pages of max_pixels; only pages that share their pixels come near

_LIGHT = {
    0: "as a negative (white is zero)",
    5: "in printing colours (CMYK)",
    8: "in CIELab colours",
}


@dataclass(frozen=True, slots=True)
class TiffPage:
    """A page that can be decoded exactly: size in pixels, bits and number of samples, and how they lie."""

    directory: Directory
    width: int
    height: int
    bits: int
    samples: int
    is_float: bool
    photometric: int
    compression: int
    planar: bool

    @property
    def channels(self) -> int:
        """Channels of the decoded pixels: colours of a palette are RGB, grey with alpha is RGB with alpha."""
        if self.photometric == _PALETTE:
            return 3
        return 4 if self.samples == 2 else self.samples

    @property
    def dtype(self) -> str:
        """Type of the decoded pixels."""
        if self.bits <= 8:
            return "uint8"
        return "float32" if self.is_float else "uint16"


def tiff_pixel_size(page: Directory, first: Directory, tag: str) -> PixelSize | None:
    """Return the pixel size that a page states; stacks describe themselves once, on their first page."""
    resolution = Resolution(
        page.ratio_of(_X_RESOLUTION), page.ratio_of(_Y_RESOLUTION), page.number_of(_RESOLUTION_UNIT, 2)
    )
    return pixel_size.read(page.raw(_DESCRIPTION) or first.raw(_DESCRIPTION), resolution, tag)


def pages(directories: tuple[Directory, ...], limits: Limits) -> tuple[TiffPage, ...]:
    """Return the pages that hold pictures; previews and transparency masks are passed over.

    A preview is a page that says so, or that has page 1's proportions at a quarter of its size or less, as
    Keyence's microscopes append one unmarked.

    Raises:
        ImageTooLarge, ImageUnreadable, PixelsUnsupported: the file as a whole cannot be taken.
    """
    found = tuple(_page(directory) for directory in directories if not _is_marked_preview(directory))
    found = tuple(page for page in found if not _is_unmarked_preview(page, found[0]))
    if not found:
        raise PixelsUnsupported(
            "This TIFF holds only a preview, as camera raw files do. Export the picture itself as TIFF."
        )
    for page in found:
        check_size(page.width, page.height, limits, f"Page {page.directory.number}")
    if sum(page.width * page.height for page in found) > _MAX_STACK * limits.max_pixels:
        raise ImageTooLarge(
            f"The pages of this TIFF have more than {_MAX_STACK * limits.max_pixels:,} pixels together. "
            "Split it into smaller stacks."
        )
    _check_complete(directories)
    for page in found:
        _check_pixels(page)
        segments(page)
    return found


def _page(directory: Directory) -> TiffPage:
    bits = set(directory.array(_BITS).tolist()) or {1}
    formats = set(directory.array(_SAMPLE_FORMAT).tolist()) or {_WHOLE}
    width, height = directory.number_of(_WIDTH, 0), directory.number_of(_HEIGHT, 0)
    if not width or not height:
        raise damaged(f"page {directory.number} has no size")
    if len(bits) > 1 or len(formats) > 1:
        raise PixelsUnsupported(
            "The channels of this TIFF have different depths. Save each channel as a page."
        )
    sample_format = formats.pop()
    if sample_format not in {_WHOLE, _FLOAT}:
        raise PixelsUnsupported(
            "This TIFF holds numbers with a sign or complex numbers, which could only be read by changing "
            "them. Convert it to 8 or 16 bits, or to 32-bit float."
        )
    return TiffPage(
        directory,
        width,
        height,
        bits.pop(),
        directory.number_of(_SAMPLES, 1),
        sample_format == _FLOAT,
        directory.number_of(_PHOTOMETRIC, -1),
        directory.number_of(_COMPRESSION, _PLAIN),
        directory.number_of(_PLANAR, 1) == 2 and directory.number_of(_SAMPLES, 1) > 1,
    )


def _is_marked_preview(directory: Directory) -> bool:
    return bool(directory.number_of(_SUBFILE, 0) & 0b101) or directory.number_of(_OLD_SUBFILE, 1) == 2


def _is_unmarked_preview(page: TiffPage, first: TiffPage) -> bool:
    small = (
        max(page.width * _PREVIEW_SHRINK, 1) <= first.width and page.height * _PREVIEW_SHRINK <= first.height
    )
    skew = abs(page.width * first.height - page.height * first.width)
    return small and skew <= first.width + first.height  # sides rounded to whole pixels


def _check_complete(directories: tuple[Directory, ...]) -> None:
    """Refuse stacks whose pages are not in the list of pages: only the first one would be read."""
    first = directories[0]
    match = re.match(rb"ImageJ=[^\n]*\nimages=(\d{1,9})", first.raw(_DESCRIPTION))
    planes = first.entries[_STK_PLANES].count if first.has(_STK_PLANES) else 1
    n_images = max(planes, int(match[1]) if match else 1)
    if n_images > 1 and len(directories) == 1:
        raise PixelsUnsupported(
            f"This file says that it holds {n_images} images, but lists only one. "
            "Open it in Fiji and save it as a TIFF of less than 4 GB."
        )


def _check_pixels(page: TiffPage) -> None:
    """Refuse what the decoders would alter."""
    how = _LIGHT.get(page.photometric)
    if how:
        raise PixelsUnsupported(f"This TIFF stores its pixels {how}. Save it as ordinary grey or RGB.")
    if page.compression not in _COMPRESSIONS:
        raise PixelsUnsupported(
            f"This TIFF is compressed in a way that is not read here (number {page.compression}). "
            "Save it uncompressed or with LZW or deflate."
        )
    if not _is_exact(page):
        raise PixelsUnsupported(
            f"This TIFF holds {page.samples} channel(s) of {page.bits}-bit "
            f"{'floats' if page.is_float else 'whole numbers'} in a way that could only be read by changing "
            "them. Save each channel as a page of 8 or 16 bits, or of 32-bit float."
        )


def _is_exact(page: TiffPage) -> bool:
    """Return whether tests have shown that this layout is decoded bit for bit."""
    extra = tuple(page.directory.array(_EXTRA_SAMPLES).tolist())
    layout = (page.photometric, page.samples, extra)
    if page.directory.number_of(_FILL_ORDER, 1) != 1:
        return False
    if page.bits > 8:
        deep = page.bits == (32 if page.is_float else 16) and page.compression != _JPEG
        return deep and not page.planar and layout in _COLOURED
    if page.is_float:
        return False
    if page.compression == _JPEG:
        return page.bits == 8 and not page.planar and layout in _JPEGS
    if page.photometric == _PALETTE:
        return layout == (_PALETTE, 1, ()) and page.bits in _SHALLOW and _has_8_bit_colours(page.directory)
    return layout in _SHALLOW.get(page.bits, ())


_PixelLayout = tuple[int, int, tuple[int, ...]]  # photometric interpretation, samples, extra samples
_ALPHA = (2,)  # "unassociated": the colours are as they were, not multiplied by it
_PURE: set[_PixelLayout] = {(_GREY, 1, ())}
_COLOURED = {*_PURE, (_RGB, 3, ()), (_RGB, 4, ()), (_RGB, 4, _ALPHA)}
_JPEGS = {*_PURE, (_RGB, 3, ()), (_YCBCR, 3, ())}
_SHALLOW: dict[int, set[_PixelLayout]] = {
    8: {*_COLOURED, (_GREY, 2, _ALPHA)},
    4: _PURE,
    2: _PURE,
    1: _PURE,
}


def _has_8_bit_colours(directory: Directory) -> bool:
    """Return whether the 16-bit colour table loses nothing in 8 bits: programs write v·256 or v·257."""
    table = directory.array(_COLOURS)
    high, low = table >> 8, table & 255
    return len(table) > 0 and bool(((low == 0) | (low == high)).all())


def segments(page: TiffPage) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return where the strips or tiles of a page lie: positions in the file, and lengths in bytes.

    Every one of them is there, since Pillow leaves missing ones black.

    Raises:
        ImageUnreadable: one is missing or lies beyond the end of the file.
    """
    directory = page.directory
    tiled = directory.has(_TILES)
    if tiled == directory.has(_STRIPS):
        raise damaged(f"page {directory.number} has no pixels, or has them twice")
    offsets = directory.array(_TILES if tiled else _STRIPS)
    lengths = directory.array(_TILE_BYTES if tiled else _STRIP_BYTES)
    columns, rows = _segment_size(page, tiled)
    down = -(-page.height // rows)
    expected = -(-page.width // columns) * down * (page.samples if page.planar else 1)
    if len(offsets) != expected or len(lengths) != expected or not lengths.all():
        raise damaged(f"page {directory.number} has pixels missing")
    if page.compression == _PLAIN:
        per_row = -(-columns * page.bits * (1 if page.planar else page.samples) // 8)
        lengths = lengths * 0 + per_row * rows
        if not tiled:
            lengths[down - 1 :: down] = per_row * (page.height - (down - 1) * rows)
    size = directory.file_bytes
    if max(int(offsets.max()), int(lengths.max())) > size or int((offsets + lengths).max()) > size:
        raise damaged(f"page {directory.number} ends too early")
    return offsets, lengths


def _segment_size(page: TiffPage, tiled: bool) -> tuple[int, int]:
    """Return a strip's or tile's width and height in pixels."""
    directory = page.directory
    if not tiled:
        rows = min(directory.number_of(_ROWS_PER_STRIP, page.height), page.height)
        columns = page.width
    else:
        columns, rows = directory.number_of(_TILE_WIDTH, 0), directory.number_of(_TILE_HEIGHT, 0)
        if columns * rows > max(_MAX_TILE_PIXELS, 4 * page.width * page.height):
            raise damaged(f"a tile of page {directory.number} is larger than the page")
    if not columns or not rows:
        raise damaged(f"page {directory.number} has strips or tiles without a size")
    return columns, rows
