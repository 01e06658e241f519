"""What the operations pages share."""

from __future__ import annotations

import csv
import io

import pytest

from core.store.metrics import TIERS
from core.ui.operations.controls import DAYS, RANGES, as_csv, rounded
from core.ui.operations.performance import duration
from core.ui.operations.throughput import reason


def test_csv_has_a_header_quotes_what_it_must_and_leaves_the_unknown_empty() -> None:
    rows = [{"name": 'a, "b"\nc', "ms": 1.25}, {"name": "d", "ms": None}]
    text = as_csv(rows)
    assert list(csv.reader(io.StringIO(text))) == [["name", "ms"], ['a, "b"\nc', "1.25"], ["d", ""]]
    assert as_csv([]) == ""


def test_a_name_is_not_a_formula_in_a_spreadsheet() -> None:
    assert as_csv([{"project": "=1+1"}]).splitlines()[1] == "'=1+1"


@pytest.mark.parametrize("chosen", RANGES, ids=lambda item: item.label)
def test_slots_are_not_finer_than_what_is_kept(chosen: object) -> None:
    minutes, slot_s = chosen.minutes, chosen.slot_s  # type: ignore[attr-defined]
    for age, resolution in TIERS:
        if minutes * 60 > age.total_seconds():
            assert slot_s % resolution.total_seconds() == 0
    assert 20 <= minutes * 60 / slot_s <= 130


def test_ranges_have_names_of_their_own() -> None:
    for ranges in (RANGES, DAYS):
        assert len({item.label for item in ranges}) == len(ranges)
    assert RANGES[1].words == "the last hour"


def test_numbers_have_three_digits_and_a_unit() -> None:
    assert (rounded(1234.56), rounded(0.012345), rounded(None)) == (1230.0, 0.0123, None)
    assert (duration(12.34), duration(1234.0), duration(None)) == ("12.3 ms", "1.23 s", "–")


def test_failures_are_told_in_words() -> None:
    assert reason("image_unreadable") == "The file is damaged or cut short"
    assert reason("crashed_repeatedly") == "The image ended the process as often as is allowed"
    assert reason("of_another_version") == "of_another_version"
