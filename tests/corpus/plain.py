"""Builders of good PNG, JPEG and BMP files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tests.corpus.arrays import Array

Chunk = tuple[bytes, bytes]

_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(header: bytes, rows: bytes, chunks: Sequence[Chunk] = ()) -> bytes:
    """Return a PNG of an IHDR body and filtered, uncompressed rows."""
    between = b"".join(chunk(*each) for each in chunks)
    data = chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + between + data + chunk(b"IEND", b"")


def png(array: Array, chunks: Sequence[Chunk] = (), interlaced: bool = False) -> bytes:
    """Return a PNG of uint8 or uint16, (Y, X) or (Y, X, 2 | 3 | 4)."""
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[1 if array.ndim == 2 else array.shape[2]]
    passes = [array[y::dy, x::dx] for y, x, dy, dx in _ADAM7] if interlaced else [array]
    rows = b"".join(b"\0" + _big(row) for each in passes if each.size for row in each)
    height, width = array.shape[:2]
    bits = array.dtype.itemsize * 8
    return png_of(struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced), rows, chunks)


def palette_png(indices: Array, palette: Array, transparency: bytes = b"") -> bytes:
    """Return an 8-bit palette PNG; ``palette`` is uint8 (N, 3)."""
    chunks = [(b"PLTE", palette.tobytes())] + ([(b"tRNS", transparency)] if transparency else [])
    rows = b"".join(b"\0" + row.tobytes() for row in indices)
    return png_of(struct.pack(">IIBBBBB", *indices.shape[::-1], 8, 3, 0, 0, 0), rows, chunks)


def low_bit_png(values: Array, bits: int) -> bytes:
    """Return a grey PNG of 1, 2 or 4 bits; ``values`` are 0 to 2**bits - 1."""
    rows = b"".join(b"\0" + packed_bits(row, bits) for row in values)
    return png_of(struct.pack(">IIBBBBB", *values.shape[::-1], bits, 0, 0, 0, 0), rows)


def _big(row: Array) -> bytes:
    return row.astype(row.dtype.newbyteorder(">")).tobytes()


def packed_bits(row: Array, bits: int) -> bytes:
    spread = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :]
    return np.packbits(spread.ravel()).tobytes()


def pillow(array: Array, form: str, mode: str | None = None, **options: object) -> bytes:
    """Return what Pillow saves, after converting to ``mode`` where one is given."""
    image, out = Image.fromarray(array), io.BytesIO()
    (image.convert(mode) if mode else image).save(out, form, **options)
    return out.getvalue()


def jpeg(array: Array, **options: object) -> bytes:
    return pillow(array, "JPEG", **options)


def bmp(array: Array, **options: object) -> bytes:
    return pillow(array, "BMP", **options)


def exif(dpi: float | None = None, orientation: int | None = None) -> Image.Exif:
    """Return Exif tags to be given to ``jpeg`` or ``png``."""
    tags = Image.Exif()
    if dpi:
        tags[282] = tags[283] = dpi
        tags[296] = 2
    if orientation:
        tags[274] = orientation
    return tags
