"""Check a JPEG's segments before it is decoded.

Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re

from core.errors import ImageUnreadable

_MAX_SCANS = 64  # programs write 1 to 20; a hostile file repeats a few bytes ten thousand times
_MAX_SEGMENTS = 10_000
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
# Within a scan 0xFF is followed by 0x00 (a pixel's byte), 0xD0-0xD7 (a restart) or 0xFF (padding).
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")


def check_scans(data: bytes) -> None:
    """Check that no more scans and segments are there than programs write.

    Each scan costs a pass over every pixel, each segment a step in Pillow.

    Raises:
        ImageUnreadable: more than 64 scans or 10,000 segments.
    """
    scans = position = 0
    for _ in range(_MAX_SEGMENTS):
        match = _MARKER.search(data, position)
        if match is None or data[match.start() + 1] == _END_OF_IMAGE:
            return
        scans += data[match.start() + 1] == _START_OF_SCAN
        if scans > _MAX_SCANS:
            break
        length = int.from_bytes(data[match.end() : match.end() + 2], "big")
        position = match.end() + max(length, 2)
    raise ImageUnreadable("This JPEG is built as no camera builds one. Save it again as PNG or TIFF.")
