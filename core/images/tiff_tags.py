"""The directories of a TIFF: where its pages and their tags lie, read without decoding and without trust.

Source: TIFF 6.0 (Adobe, 1992), section 2; BigTIFF (2004). Own code, since Pillow and libtiff disagree on
repeated tags, follow any number of directories, and Pillow counts them in quadratic time.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageTooLarge, ImageUnreadable

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_DAMAGED = "This TIFF is damaged or was cut short: {}. Copy it again from the microscope's computer."
_MAX_TAGS = 4096
_TYPE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_WHOLE = {1: "u1", 3: "u2", 4: "u4", 16: "u8"}
_RATIONAL = 5
_ORIENTATION = 274


def damaged(what: str) -> ImageUnreadable:
    """Return the error that says what is wrong with a TIFF."""
    return ImageUnreadable(_DAMAGED.format(what))


@dataclass(frozen=True, slots=True)
class _Layout:
    """The struct formats of a file's kind and byte order."""

    order: str
    big: bool

    @property
    def count(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "H"))

    @property
    def pointer(self) -> struct.Struct:
        return struct.Struct(self.order + ("Q" if self.big else "I"))

    @property
    def entry(self) -> struct.Struct:
        return struct.Struct(self.order + ("HHQ8x" if self.big else "HHI4x"))

    @property
    def first(self) -> int:
        """Position of the pointer to the first directory."""
        return 8 if self.big else 4


@dataclass(frozen=True, slots=True)
class _Entry:
    """One tag: the type and number of its values, and where they lie in the file."""

    kind: int
    count: int
    position: int


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of one page. ``number`` counts from 1 in the order of the file's own list."""

    number: int
    offset: int
    layout: _Layout
    data: bytes = field(repr=False)
    entries: dict[int, _Entry] = field(repr=False)

    @property
    def is_big_endian_big_tiff(self) -> bool:
        return self.layout == _Layout(">", big=True)

    def has(self, tag: int) -> bool:
        return tag in self.entries

    def array(self, tag: int) -> NDArray[np.uint64]:
        """Return the whole numbers of a tag, empty where it is absent.

        Raises:
            ImageUnreadable: the tag holds something else.
        """
        if tag not in self.entries:
            return np.empty(0, np.uint64)
        entry = self.entries[tag]
        if entry.kind not in _WHOLE:
            raise damaged(f"tag {tag} is not a whole number")
        form = self.layout.order + _WHOLE[entry.kind]
        return np.frombuffer(self.data, form, entry.count, entry.position).astype(np.uint64)

    def number_of(self, tag: int, default: int) -> int:
        """Return the one whole number of a tag.

        Raises:
            ImageUnreadable: the tag holds something else, or several.
        """
        values = self.array(tag)
        if len(values) > 1:
            raise damaged(f"tag {tag} holds {len(values)} numbers instead of 1")
        return int(values[0]) if len(values) else default

    def ratio_of(self, tag: int) -> float | None:
        """Return a rational number; None where it is absent, has another type or divides by zero."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind != _RATIONAL or entry.count != 1:
            return None
        above, below = struct.unpack_from(self.layout.order + "II", self.data, entry.position)
        return above / below if below else None

    def text_of(self, tag: int) -> bytes:
        """Return a tag's raw bytes, empty where it is absent."""
        entry = self.entries.get(tag)
        if entry is None:
            return b""
        return self.data[entry.position : entry.position + entry.count * _TYPE_BYTES[entry.kind]]


def directories(data: bytes, max_pages: int) -> tuple[Directory, ...]:
    """Return every page's tags, in order.

    Raises:
        ImageUnreadable: a directory is damaged, missing, or the list of them runs in a circle.
        ImageTooLarge: more than ``max_pages``.
    """
    layout = _layout(data)
    offset = _unpack(layout.pointer, data, layout.first)
    found: dict[int, Directory] = {}
    while offset:
        if offset in found:
            raise damaged("its list of pages runs in a circle")
        if len(found) == max_pages:
            raise ImageTooLarge(
                f"This TIFF has more than {max_pages} pages, the most that are taken from one file. "
                "Split it into smaller stacks."
            )
        entries, following = _entries(data, layout, offset)
        found[offset] = Directory(len(found) + 1, offset, layout, data, entries)
        offset = following
    if not found:
        raise damaged("it has no page")
    return tuple(found.values())


def put_first(file: io.BytesIO, directory: Directory) -> None:
    """Change the file in memory so that ``directory`` is its first page and has no rotation tag.

    The decoders then need not walk the pages before it, and give the pixels in the order in which they are
    stored. Nothing is written, and so nothing copied, where that is so already.
    """
    layout, entry = directory.layout, directory.entries.get(_ORIENTATION)
    _overwrite(file, layout.first, layout.pointer.pack(directory.offset))
    if entry is not None and entry.kind in _WHOLE:
        upright = np.ones(entry.count, layout.order + _WHOLE[entry.kind])
        _overwrite(file, entry.position, upright.tobytes())


def _overwrite(file: io.BytesIO, position: int, wanted: bytes) -> None:
    file.seek(position)
    if file.read(len(wanted)) != wanted:
        file.seek(position)
        file.write(wanted)
    file.seek(0)


def _layout(data: bytes) -> _Layout:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    if big and data[4:8] != struct.pack(order + "HH", 8, 0):
        raise damaged("its header is not that of a BigTIFF")
    return _Layout(order, big)


def _entries(data: bytes, layout: _Layout, offset: int) -> tuple[dict[int, _Entry], int]:
    """Return a directory's entries and the offset of the next directory."""
    n_tags = _unpack(layout.count, data, offset)
    if n_tags > _MAX_TAGS:
        raise damaged(f"a page claims {n_tags} tags")
    position, total = offset + layout.count.size, 0
    entries: dict[int, _Entry] = {}
    for _ in range(n_tags):
        tag, entry = _entry(data, layout, position)
        # Honest values do not overlap. Without this check a small file makes the decoders read itself
        # thousands of times over.
        total += entry.count * _TYPE_BYTES[entry.kind]
        if tag in entries or total > len(data):
            raise damaged(f"tag {tag} is there twice or too long")
        entries[tag] = entry
        position += layout.entry.size
    return entries, _unpack(layout.pointer, data, position)


def _entry(data: bytes, layout: _Layout, position: int) -> tuple[int, _Entry]:
    if position + layout.entry.size > len(data):
        raise damaged("a page's list of tags is cut short")
    tag, kind, count = layout.entry.unpack_from(data, position)
    kind = kind if kind in _TYPE_BYTES else 7  # an unknown type is bytes to be passed over
    value = position + layout.entry.size - layout.pointer.size
    size = count * _TYPE_BYTES[kind]
    if size > layout.pointer.size:
        value = _unpack(layout.pointer, data, value)
    if value + size > len(data):
        raise damaged(f"tag {tag} points beyond its end")
    return tag, _Entry(kind, count, value)


def _unpack(form: struct.Struct, data: bytes, position: int) -> int:
    if position + form.size > len(data):
        raise damaged("it points beyond its own end")
    value: int = form.unpack_from(data, position)[0]
    return value
