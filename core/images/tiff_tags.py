"""Read the directories of a TIFF: where its pages and their tags lie. Nothing is decoded, nothing trusted.

Only directories and the values of single tags are read from the file, never all of it.

Source: TIFF 6.0 (Adobe, 1992), section 2; BigTIFF (2004). Own code, since Pillow and libtiff disagree on
repeated tags, follow any number of directories, and Pillow counts them in quadratic time.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageTooLarge, ImageUnreadable

_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

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
_MAY_REPEAT = {270}  # tifffile writes a second description, of its own; of other tags readers choose either


def damaged(what: str) -> ImageUnreadable:
    """Return the error that says what is wrong with a TIFF."""
    return ImageUnreadable(_DAMAGED.format(what))


@dataclass(frozen=True, slots=True)
class _File:
    """An open file and its size in bytes."""

    file: BinaryIO
    size: int

    def read(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes from ``position``.

        Raises:
            ImageUnreadable: the file is shorter.
        """
        if position + size > self.size:
            raise damaged("it points beyond its own end")
        self.file.seek(position)
        data = self.file.read(size)
        if len(data) != size:
            raise damaged("it became shorter while it was read")
        return data

    def unpack(self, form: struct.Struct, position: int) -> int:
        """Return one number."""
        value: int = form.unpack(self.read(position, form.size))[0]
        return value


@dataclass(frozen=True, slots=True)
class Layout:
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
    layout: Layout
    source: _File = field(repr=False)
    entries: dict[int, _Entry] = field(repr=False)

    @property
    def file_bytes(self) -> int:
        """Size of the file."""
        return self.source.size

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
        return np.frombuffer(self.raw(tag), self.layout.order + _WHOLE[entry.kind]).astype(np.uint64)

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
        above, below = struct.unpack(self.layout.order + "II", self.raw(tag))
        return above / below if below else None

    def raw(self, tag: int) -> bytes:
        """Return the bytes of a tag's value, empty where it is absent."""
        entry = self.entries.get(tag)
        if entry is None:
            return b""
        return self.source.read(entry.position, entry.count * _TYPE_BYTES[entry.kind])


def directories(file: BinaryIO, max_pages: int) -> tuple[Directory, ...]:
    """Return the tags of every page of an open file, in order; they are read from it when they are used.

    Raises:
        ImageUnreadable: a directory is damaged, missing, or the list of them runs in a circle.
        ImageTooLarge: more than ``max_pages``.
    """
    source = _File(file, file.seek(0, os.SEEK_END))
    layout = _layout(source)
    offset = source.unpack(layout.pointer, layout.first)
    by_offset: dict[int, Directory] = {}
    while offset:
        if offset in by_offset:
            raise damaged("its list of pages runs in a circle")
        if len(by_offset) == max_pages:
            raise ImageTooLarge(
                f"This TIFF has more than {max_pages} pages, the most that are taken from one file. "
                "Split it into smaller stacks."
            )
        entries, following = _entries(source, layout, offset)
        by_offset[offset] = Directory(len(by_offset) + 1, offset, layout, source, entries)
        offset = following
    if not by_offset:
        raise damaged("it has no page")
    return tuple(by_offset.values())


def _layout(source: _File) -> Layout:
    head = source.read(0, 4)
    if head not in _SIGNATURES:
        raise damaged("it does not begin as a TIFF does")
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    if big and source.read(4, 4) != struct.pack(order + "HH", 8, 0):
        raise damaged("its header is not that of a BigTIFF")
    return Layout(order, big)


def _entries(source: _File, layout: Layout, offset: int) -> tuple[dict[int, _Entry], int]:
    """Return a directory's entries and the offset of the next directory."""
    n_tags = source.unpack(layout.count, offset)
    if n_tags > _MAX_TAGS:
        raise damaged(f"a page claims {n_tags} tags")
    position, total = offset + layout.count.size, 0
    block = source.read(position, n_tags * layout.entry.size)
    entries: dict[int, _Entry] = {}
    for index in range(n_tags):
        tag, entry = _entry(source, layout, block, position, index)
        # Honest values do not overlap. Without this check a small file makes the decoders read itself
        # thousands of times over.
        total += entry.count * _TYPE_BYTES[entry.kind]
        if (tag in entries and tag not in _MAY_REPEAT) or total > source.size:
            raise damaged(f"tag {tag} is there twice or too long")
        entries.setdefault(tag, entry)
    return entries, source.unpack(layout.pointer, position + len(block))


def _entry(source: _File, layout: Layout, block: bytes, start: int, index: int) -> tuple[int, _Entry]:
    """Return the tag and the entry at ``index`` of a directory's ``block``, which lies at ``start``."""
    place = index * layout.entry.size
    tag, kind, count = layout.entry.unpack_from(block, place)
    kind = kind if kind in _TYPE_BYTES else 7  # an unknown type is bytes to be passed over
    place += layout.entry.size - layout.pointer.size
    size = count * _TYPE_BYTES[kind]
    position: int = start + place
    if size > layout.pointer.size:
        (position,) = layout.pointer.unpack_from(block, place)
    if position + size > source.size:
        raise damaged(f"tag {tag} points beyond its end")
    return tag, _Entry(kind, count, position)
