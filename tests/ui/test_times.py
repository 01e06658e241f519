"""Times of the database, in UTC, as the visitor's clock shows them."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.ui import times

NOON = datetime(2026, 7, 1, 12)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Berlin", "01 Jul 2026, 14:00 CEST"),
        ("America/Sao_Paulo", "01 Jul 2026, 09:00 UTC-03"),
        ("Asia/Kolkata", "01 Jul 2026, 17:30 IST"),
        ("Etc/UTC", "01 Jul 2026, 12:00 UTC"),
        ("../../etc/passwd", "01 Jul 2026, 12:00 UTC"),
        ("No/Such", "01 Jul 2026, 12:00 UTC"),
        (None, "01 Jul 2026, 12:00 UTC"),
    ],
)
def test_a_moment_names_its_zone(monkeypatch: pytest.MonkeyPatch, zone: str | None, text: str) -> None:
    monkeypatch.setattr(times, "_browser_zone", lambda: zone)
    assert times.moment(NOON) == text
    assert times.to_utc(times.from_utc(NOON)) == NOON
    assert times.on_axis([NOON]) == [times.from_utc(NOON)]


def test_columns_are_headed_by_the_city(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_browser_zone", lambda: "America/New_York")
    assert (times.zone_name(), times.city()) == ("America/New_York", "New York")
