"""Check a PNG's header and chunks before a pixel is decoded.

Source: PNG specification, third edition (W3C 2025), sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from core.errors import ImageUnreadable, PixelsUnsupported

_FIRST_CHUNK = 8  # behind the signature
_MAX_CHUNKS = 200_000  # 200 MiB in the usual 8 KiB chunks are 25,600
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}  # by colour type
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_DAMAGED = "This PNG file is damaged or was cut short. Copy it again from the microscope's computer."


@dataclass(frozen=True, slots=True)
class PngHeader:
    """Size in pixels, the bits of one sample, and the channels of the decoded image.

    A palette is decoded to RGB, grey with alpha to RGB with alpha.
    """

    width: int
    height: int
    bits: int
    channels: int


def read_header(data: bytes) -> PngHeader:
    """Return the first chunk's content.

    Raises:
        ImageUnreadable: there is no whole first chunk.
    """
    if len(data) < 33 or data[8:16] != b"\0\0\0\x0dIHDR":
        raise ImageUnreadable(_DAMAGED)
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    return PngHeader(width, height, bits, _CHANNELS.get(colour, 1))


def check_chunks(data: bytes) -> None:
    """Check every critical chunk's checksum, which the decoders do not do for pixels.

    Raises:
        ImageUnreadable: a chunk is damaged or missing, or there is a second header.
        PixelsUnsupported: an animation, of which only one picture would be read.
    """
    view = memoryview(data)
    position, headers = _FIRST_CHUNK, 0
    for _ in range(_MAX_CHUNKS):
        if position + 12 > len(data):
            break
        (length,) = struct.unpack_from(">I", data, position)
        kind, end = data[position + 4 : position + 8], position + 8 + length
        if end + 4 > len(data):
            break
        if kind == b"acTL":
            raise PixelsUnsupported(
                "This PNG is an animation. Save its pictures one by one, or as a TIFF stack."
            )
        checksum = struct.unpack_from(">I", data, end)[0]
        if kind in _CRITICAL and zlib.crc32(view[position + 4 : end]) != checksum:
            break
        headers += kind == b"IHDR"
        if headers > 1:
            break
        if kind == b"IEND":
            return
        position = end + 4
    raise ImageUnreadable(_DAMAGED)
