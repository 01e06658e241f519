"""The pages of a TIFF that hold pictures, and where the strips or tiles of each lie in the file.

Sizes, lengths and positions are checked here from the tags alone, before anything is decoded.

Source: TIFF 6.0 (Adobe, 1992), sections 3 to 8 and 15.
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
_STRIPS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR = 273, 277, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_SAMPLE_FORMAT, _STK_PLANES = 339, 33629

GREY, PLAIN, WHOLE = 1, 1, 1  # photometric interpretation, compression, sample format
_PREVIEW_SHRINK = 4
_MAX_TILE_PIXELS = 2**24
_MAX_STACK = 10  # pages of max_pixels; only pages that share their pixels come near


@dataclass(frozen=True, slots=True)
class TiffPage:
    """The layout of one page: size in pixels, bits and number of samples, and how they are stored.

    ``sample_format`` is 1 for whole numbers, 2 for those with a sign, 3 for floats.
    """

    directory: Directory
    width: int
    height: int
    bits: int
    samples: int
    sample_format: int
    photometric: int
    compression: int
    planar: bool


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
    pictures = tuple(_page(directory) for directory in directories if not _is_marked_preview(directory))
    pictures = tuple(page for page in pictures if not _is_unmarked_preview(page, pictures[0]))
    if not pictures:
        raise PixelsUnsupported(
            "This TIFF holds only a preview, as camera raw files do. Export the picture itself as TIFF."
        )
    for page in pictures:
        check_size(page.width, page.height, limits, f"Page {page.directory.number}")
    if sum(page.width * page.height for page in pictures) > _MAX_STACK * limits.max_pixels:
        raise ImageTooLarge(
            f"The pages of this TIFF have more than {_MAX_STACK * limits.max_pixels:,} pixels together. "
            "Split it into smaller stacks."
        )
    _check_complete(directories)
    for page in pictures:
        segments(page)
    return pictures


def _page(directory: Directory) -> TiffPage:
    bits = set(directory.array(_BITS).tolist()) or {1}
    formats = set(directory.array(_SAMPLE_FORMAT).tolist()) or {WHOLE}
    width, height = directory.number_of(_WIDTH, 0), directory.number_of(_HEIGHT, 0)
    if not width or not height:
        raise damaged(f"page {directory.number} has no size")
    if len(bits) > 1 or len(formats) > 1:
        raise PixelsUnsupported(
            "The channels of this TIFF have different depths. Save each channel as a page."
        )
    sample_format = formats.pop()
    return TiffPage(
        directory,
        width,
        height,
        bits.pop(),
        directory.number_of(_SAMPLES, 1),
        sample_format,
        directory.number_of(_PHOTOMETRIC, -1),
        directory.number_of(_COMPRESSION, PLAIN),
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
    columns, rows = segment_size(page)
    down = -(-page.height // rows)
    expected = -(-page.width // columns) * down * (page.samples if page.planar else 1)
    if len(offsets) != expected or len(lengths) != expected or not lengths.all():
        raise damaged(f"page {directory.number} has pixels missing")
    if page.compression == PLAIN:
        per_row = -(-columns * page.bits * (1 if page.planar else page.samples) // 8)
        lengths = lengths * 0 + per_row * rows
        if not tiled:
            lengths[down - 1 :: down] = per_row * (page.height - (down - 1) * rows)
    size = directory.file_bytes
    if max(int(offsets.max()), int(lengths.max())) > size or int((offsets + lengths).max()) > size:
        raise damaged(f"page {directory.number} ends too early")
    return offsets, lengths


def segment_size(page: TiffPage) -> tuple[int, int]:
    """Return a strip's or tile's width and height in pixels.

    Raises:
        ImageUnreadable: it has none, or is far larger than the page.
    """
    directory = page.directory
    if not directory.has(_TILES):
        rows = min(directory.number_of(_ROWS_PER_STRIP, page.height), page.height)
        columns = page.width
    else:
        columns, rows = directory.number_of(_TILE_WIDTH, 0), directory.number_of(_TILE_HEIGHT, 0)
        if columns * rows > max(_MAX_TILE_PIXELS, 4 * page.width * page.height):
            raise damaged(f"a tile of page {directory.number} is larger than the page")
    if not columns or not rows:
        raise damaged(f"page {directory.number} has strips or tiles without a size")
    return columns, rows
