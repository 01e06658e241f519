"""The time of day, as everything stored has it."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time as stored: UTC without a zone (TIMESTAMPTZ would need another package)."""
    return datetime.now(UTC).replace(tzinfo=None)
