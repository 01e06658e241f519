"""One page of a TIFF as a file of its own: what decoders are given instead of the whole file.

They neither walk the pages before it nor read what is not its own, and see only the tags that decide its
pixels: no rotation, no metadata. Written by hand, since libraries that write TIFFs take decoded pixels.

Source: TIFF 6.0 (Adobe, 1992), section 2; BigTIFF (2004).
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from core.images.tiff_tags import Directory, Layout, damaged

# Size, bits, compression, photometric interpretation, fill order, samples, rows of a strip, planar
# configuration, predictor, colour table, size of a tile, extra samples, sample format, JPEG tables, YCbCr.
_PIXEL_TAGS = (
    *(256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 320, 322, 323, 338, 339, 347),
    *(529, 530, 531, 532),
)
_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 273, 279, 324, 325
_LONG, _LONG8, _DOUBLE = 4, 16, 12
_MAX_SEGMENTS = 1_000_000  # one strip a row are 10,000 for a page of 100 megapixels
_CLASSIC_BYTES = 2**32 - 2**20  # what the offsets of a TIFF that is no BigTIFF reach, less room for its tags

_Value = tuple[int, int, bytes]  # type, number of values, their bytes


def page_file(page: Directory, offsets: NDArray[np.uint64], lengths: NDArray[np.uint64]) -> bytes:
    """Return a TIFF of one page: its pixels as they are stored, and the tags that decide them.

    ``offsets`` and ``lengths`` say where its strips or tiles lie; both have been checked against the file.

    Raises:
        ImageUnreadable: there are more strips than a program writes, or they lie over one another.
    """
    total = int(lengths.sum())
    # Honest strips do not overlap; a small file whose strips do would be read into a large one.
    if len(lengths) > _MAX_SEGMENTS or total > page.file_bytes:
        raise damaged(f"page {page.number} is in more pieces than a program writes")
    big = total > _CLASSIC_BYTES
    layout = Layout(page.layout.order, big)
    start = 16 if big else 8
    starts = start + np.cumsum(lengths) - lengths
    pixels = _segments(page, offsets, lengths)
    body = pixels + bytes(total % 2)
    entries = _values(page) | _places(page, layout, starts, lengths)
    return _header(layout, start + len(body)) + body + _directory(layout, entries, start + len(body))


def _segments(page: Directory, offsets: NDArray[np.uint64], lengths: NDArray[np.uint64]) -> bytes:
    """Return the strips or tiles one behind another, read at once where they lie so."""
    ends = offsets + lengths
    if (ends[:-1] == offsets[1:]).all():
        return page.source.read(int(offsets[0]), int(lengths.sum()))
    pairs = zip(offsets.tolist(), lengths.tolist(), strict=True)
    return b"".join(page.source.read(offset, length) for offset, length in pairs)


def _values(page: Directory) -> dict[int, _Value]:
    """Return the tags that decide the pixels; 64-bit numbers become 32 bits, which every TIFF may hold."""
    values: dict[int, _Value] = {}
    for tag in _PIXEL_TAGS:
        entry = page.entries.get(tag)
        if entry is None:
            continue
        if entry.kind == _LONG8:
            numbers = page.array(tag)
            if numbers.size and int(numbers.max()) >= 2**32:
                raise damaged(f"tag {tag} holds a number that cannot be")
            values[tag] = (_LONG, entry.count, numbers.astype(page.layout.order + "u4").tobytes())
        elif entry.kind <= _DOUBLE:
            values[tag] = (entry.kind, entry.count, page.raw(tag))
    return values


def _places(
    page: Directory, layout: Layout, starts: NDArray[np.uint64], lengths: NDArray[np.uint64]
) -> dict[int, _Value]:
    """Return the tags that say where the strips or tiles lie in the new file."""
    tags = (_TILES, _TILE_BYTES) if page.has(_TILES) else (_STRIPS, _STRIP_BYTES)
    kind, form = (_LONG8, "u8") if layout.big else (_LONG, "u4")
    return {
        tag: (kind, len(numbers), numbers.astype(layout.order + form).tobytes())
        for tag, numbers in zip(tags, (starts, lengths), strict=True)
    }


def _header(layout: Layout, directory: int) -> bytes:
    mark = b"II" if layout.order == "<" else b"MM"
    if layout.big:
        return mark + struct.pack(layout.order + "HHHQ", 43, 8, 0, directory)
    return mark + struct.pack(layout.order + "HI", 42, directory)


def _directory(layout: Layout, entries: dict[int, _Value], position: int) -> bytes:
    """Return the directory that lies at ``position``, followed by those values that it has no room for."""
    pointer = layout.pointer
    head, body = struct.Struct(layout.order + ("HHQ" if layout.big else "HHI")), bytearray()
    behind = position + layout.count.size + len(entries) * layout.entry.size + pointer.size
    listed = layout.count.pack(len(entries))
    for tag, (kind, count, value) in sorted(entries.items()):
        if len(value) <= pointer.size:
            field = value.ljust(pointer.size, b"\0")
        else:
            field = pointer.pack(behind + len(body))
            body += value + bytes(len(value) % 2)
        listed += head.pack(tag, kind, count) + field
    return listed + pointer.pack(0) + bytes(body)
