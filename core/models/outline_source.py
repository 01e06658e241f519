"""Where the outline of a spheroid comes from."""

from __future__ import annotations

from enum import StrEnum


class OutlineSource(StrEnum):
    """Who made the outline of one spheroid, and with it every number that is measured of it."""

    AUTOMATIC = "automatic"  # by an engine
    CORRECTED = "corrected"  # drawn or changed by a person
    IMPORTED = "imported"  # from a file of another program
