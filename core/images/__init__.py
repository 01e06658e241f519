"""Image files: recognised, checked before they are decoded, decoded exactly, and rendered for the eye.

What cannot be read exactly as it is stored is refused with the reason. Rendered pictures are never measured.
"""

from __future__ import annotations

from core.images.inspection import Format, decode, inspect, sniff, to_grey

__all__ = ["Format", "decode", "inspect", "sniff", "to_grey"]
