"""Image files: recognised, checked before they are decoded, decoded exactly, and rendered for the eye.

A reader is opened on a path, names its planes and decodes one at a time (``open_image``); the formats are one
table (``formats``). What cannot be read exactly as it is stored is refused with the reason.
Rendered pictures are never measured.
"""

from __future__ import annotations

from core.images.inspection import decode, inspect, open_image
from core.images.reader import Plane, Reader

__all__ = ["Plane", "Reader", "decode", "inspect", "open_image"]
