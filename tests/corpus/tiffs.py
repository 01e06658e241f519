"""Builders of good TIFF files, by tifffile, by OpenCV, and tag by tag."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import cv2
import numpy as np
import tifffile

from tests.corpus.arrays import Array
from tests.corpus.plain import packed_bits

Tags = dict[int, tuple[int, Sequence[int] | bytes]]

BYTE, ASCII, SHORT, LONG, RATIONAL = 1, 2, 3, 4, 5
_FORMATS = {BYTE: "B", SHORT: "H", LONG: "I", 9: "i", 16: "Q"}


def tiff(array: Array, **options: object) -> bytes:
    """Return what tifffile writes."""
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def lzw_tiff(array: Array) -> bytes:
    """Return an LZW TIFF with horizontal differences; tifffile cannot write it without further packages."""
    code = {2: None, 3: cv2.COLOR_RGB2BGR}[array.ndim]
    pixels = array if code is None else cv2.cvtColor(array, code)
    done, encoded = cv2.imencode(
        ".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, 2]
    )
    assert done
    return bytes(encoded)


def stack(n_pages: int, **options: object) -> bytes:
    """Return a TIFF of ``n_pages`` pages of 8 x 8 pixels, each of its own number."""
    pages = np.arange(n_pages, dtype=np.uint8)[:, None, None] + np.zeros((1, 8, 8), np.uint8)
    return tiff(pages, photometric="minisblack", **options)


def tags(width: int, height: int, bits: int = 8, **more: int) -> Tags:
    """Return the tags of a page; ``more``: samples, photometric, compression, sample_format, planar."""
    samples = more.get("samples", 1)
    entries: Tags = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [bits] * samples),
        259: (SHORT, [more.get("compression", 1)]),
        262: (SHORT, [more.get("photometric", 1)]),
        277: (SHORT, [samples]),
        278: (LONG, [height]),
        339: (SHORT, [more.get("sample_format", 1)] * samples),
    }
    if "planar" in more:
        entries[284] = (SHORT, [more["planar"]])
    return entries


def raw_tiff(
    pages: Sequence[tuple[Tags, bytes]], order: str = "<", following: dict[int, int] | None = None
) -> bytes:
    """Return a classic TIFF, written tag by tag, of ``(tags, pixels of the one strip)``.

    Strip offsets and lengths are added unless given. ``following`` maps a page's index to the index of the
    page that its directory says comes next, to build circles.
    """
    body, entries = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4)), []
    for given, strip in pages:
        added: Tags = {273: (LONG, [len(body)]), 279: (LONG, [len(strip)])}
        body += strip + bytes(len(strip) % 2)
        entries.append(
            [(tag, *_value(body, order, *value)) for tag, value in sorted((added | given).items())]
        )
    offsets = []
    for listed in entries:
        offsets.append(len(body))
        body += struct.pack(order + "H", len(listed))
        for tag, kind, count, value in listed:
            body += struct.pack(order + "HHI", tag, kind, count) + value
        body += bytes(4)
    struct.pack_into(order + "I", body, 4, offsets[0])
    for index, listed in enumerate(entries):
        after = (following or {}).get(index, index + 1)
        if after < len(offsets):
            struct.pack_into(order + "I", body, offsets[index] + 2 + 12 * len(listed), offsets[after])
    return bytes(body)


def _value(body: bytearray, order: str, kind: int, values: Sequence[int] | bytes) -> tuple[int, int, bytes]:
    """Return a tag's type, count and value field; a long value is appended to ``body``."""
    if isinstance(values, bytes):
        packed, count = values, len(values)
    elif kind == RATIONAL:
        packed, count = struct.pack(f"{order}{len(values)}I", *values), len(values) // 2
    else:
        packed, count = struct.pack(f"{order}{len(values)}{_FORMATS[kind]}", *values), len(values)
    if len(packed) <= 4:
        return kind, count, packed.ljust(4, b"\0")
    offset = len(body)
    body += packed + bytes(len(packed) % 2)
    return kind, count, struct.pack(order + "I", offset)


def low_bit_tiff(values: Array, bits: int) -> bytes:
    """Return a grey TIFF of 1, 2 or 4 bits."""
    return raw_tiff([(tags(*values.shape[::-1], bits), b"".join(packed_bits(row, bits) for row in values))])


def palette_tiff(indices: Array, palette: Array, factor: int = 257) -> bytes:
    """Return an 8-bit palette TIFF; the colours, uint8 (256, 3), are written as 16-bit v * ``factor``."""
    colours = (palette.T.astype(int).ravel() * factor).tolist()
    page = tags(*indices.shape[::-1], photometric=3) | {320: (SHORT, colours)}
    return raw_tiff([(page, indices.tobytes())])


def float_predictor_tiff(array: Array, order: str = "<") -> bytes:
    """Return a deflated float32 TIFF with predictor 3 (Adobe, TIFF Technical Note 3, 2005)."""
    planes = array.astype(">f4").view(np.uint8).reshape(*array.shape, 4).transpose(0, 2, 1)
    flat = planes.reshape(array.shape[0], -1)
    differences = np.diff(flat, axis=1, prepend=np.zeros((array.shape[0], 1), np.uint8))
    page = tags(*array.shape[::-1], 32, sample_format=3, compression=8) | {317: (SHORT, [3])}
    return raw_tiff([(page, zlib.compress(differences.tobytes()))], order)
