"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models import Dimension
from core.ui import format as fmt

GAP = fmt.GAP


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (412.3, "412"),
        (41.23, "41.2"),
        (4.123, "4.12"),
        (0.9312, "0.931"),
        (0.98, "0.980"),
        (1, "1.00"),
        (0.00123, "0.00123"),
        (133_456, f"133{GAP}000"),
        (10_912, f"10{GAP}900"),
        (36_612_345, f"36{GAP}600{GAP}000"),
        (0, "0"),
        (-0.0, "0"),
        (-41.23, f"{fmt.MINUS}41.2"),
    ],
)
def test_three_digits(value: float, text: str) -> None:
    assert fmt.three_digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(999.6, f"1{GAP}000"), (99.96, "100"), (9.996, "10.0"), (0.9996, "1.00")]
)
def test_rounding_up_to_the_next_power_of_ten_adds_no_fourth_digit(value: float, text: str) -> None:
    assert fmt.three_digits(value) == text


def test_very_small_numbers_are_written_with_a_power_of_ten() -> None:
    assert fmt.three_digits(0.0000123) == f"1.23{GAP}×{GAP}10⁻⁵"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash(value: float | None) -> None:
    assert fmt.three_digits(value) == "–"


@given(st.floats(min_value=1e-3, max_value=1e12))
def test_the_text_is_within_half_a_unit_of_the_third_digit(value: float) -> None:
    read = float(fmt.three_digits(value).replace(GAP, ""))
    assert read == pytest.approx(value, rel=5.001e-3)


def test_lengths_and_areas_scale_with_their_own_power_of_the_pixel_size() -> None:
    assert fmt.length(100, 2.0) == f"200{GAP}µm"
    assert fmt.area(100, 2.0) == f"400{GAP}µm²"


def test_without_a_pixel_size_pixels_are_shown_and_named() -> None:
    assert fmt.length(303.2, None) == f"303{GAP}px"
    assert fmt.area(71_900, None) == f"71{GAP}900{GAP}px²"


def test_an_unknown_value_has_no_unit() -> None:
    assert fmt.length(None, 1.36) == "–"
    assert fmt.area(math.nan, None) == "–"


def test_ratios_have_no_unit_and_do_not_scale() -> None:
    assert fmt.unit(Dimension.PURE, 1.36) == ""
    assert fmt.scaled(0.93, Dimension.PURE, 1.36) == 0.93


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (7, "7"), (1204, f"1{GAP}204"), (-12_000, f"{fmt.MINUS}12{GAP}000")]
)
def test_counts_are_written_in_full(number: int, text: str) -> None:
    assert fmt.count(number) == text
