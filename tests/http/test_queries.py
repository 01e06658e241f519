"""Bounds as parameters: made from the names of the columns, for numbers and for times."""

from __future__ import annotations

from datetime import datetime

import pytest

from core.errors import InvalidRequest
from core.http.schemas.queries import with_bounds
from core.models import Range

Seen = with_bounds("Seen", ("size", "seen"), times=("seen",))


def test_numbers_and_times_have_their_own_ends() -> None:
    assert list(Seen.model_fields) == ["size_min", "size_max", "seen_from", "seen_to"]


def test_bounds_become_ranges() -> None:
    query = Seen.model_validate(
        {"size_min": "2", "seen_from": "2026-11-02", "seen_to": "2026-11-02T09:30:00Z"}
    )
    start, end = datetime(2026, 11, 2), datetime(2026, 11, 2, 9, 30)
    assert query.ranges() == (Range("seen", start, end), Range("size", 2.0, None))
    assert Seen.model_validate({}).ranges() == ()


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="seen_from is later than seen_to"):
        Seen.model_validate({"seen_from": "2026-11-02", "seen_to": "2026-11-01"}).ranges()
