"""The time, in the form in which it is stored."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time in UTC without a zone (TIMESTAMPTZ would need another package)."""
    return datetime.now(UTC).replace(tzinfo=None)
