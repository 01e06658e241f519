"""What counts as a wrong image of the demo plate."""

import pytest

from bench.demo import Outcome, _errors, _named
from core.demo.plate import DemoTruth


def outcome(*diameters_um: float, flagged: bool = False) -> Outcome:
    truth = DemoTruth("A01_day1.tif", "A01", 1, 0.0, (300.0, 200.0), None)
    return Outcome(truth, len(diameters_um), _errors(diameters_um, truth), flagged)


def test_a_wrong_count_and_a_diameter_off_by_over_a_tenth_are_wrong() -> None:
    assert outcome(300.0).is_wrong
    assert outcome(300.0, 200.0, 10.0).is_wrong
    assert outcome(300.0, 225.0).is_wrong
    assert not outcome(215.0, 290.0).is_wrong
    assert outcome(215.0, 290.0).errors == pytest.approx((1 / 30, 0.075))


def test_a_wrong_image_is_named_with_what_is_wrong() -> None:
    assert _named(outcome(300.0)) == "A01_day1 1 for 2!"
    assert _named(outcome(300.0, 150.0, flagged=True)) == "A01_day1 25 %"
