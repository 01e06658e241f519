"""Parameters: every field explained, nothing out of range, JSON and back."""

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from core.segmentation import SegmentationParams


def test_every_parameter_has_a_unit_a_line_of_help_and_its_choices_or_range():
    for item in fields(SegmentationParams):
        assert item.metadata["help"].endswith(".")
        assert "unit" in item.metadata
        if isinstance(item.default, bool):
            continue
        if isinstance(item.default, str):
            assert item.default in item.metadata["choices"]
        else:
            low, high = item.metadata["range"]
            assert low <= item.default <= high


@given(st.floats(-0.9, 0.9), st.booleans(), st.sampled_from(["auto", "dark", "bright"]))
def test_json_gives_back_the_same_parameters(sensitivity, split, polarity):
    params = SegmentationParams(sensitivity=sensitivity, split_touching=split, polarity=polarity)
    assert SegmentationParams.from_dict(json.loads(json.dumps(params.to_dict()))) == params


def test_maps_serve_all_parameters_that_change_only_what_is_made_of_them():
    default = SegmentationParams()
    for changes in (
        {"outline": "core"},
        {"sensitivity": 0.2},
        {"fill_holes": False},
        {"min_diameter_px": 9.0},
    ):
        assert default.predicts_like(SegmentationParams(**changes)), changes
    for other in ({"channel": "red"}, {"polarity": "dark"}, {"working_long_side_px": 512}):
        assert not default.predicts_like(SegmentationParams(**other)), other


def test_what_is_not_given_has_its_default():
    assert SegmentationParams.from_dict({}) == SegmentationParams()


def test_a_whole_number_may_stand_for_a_fraction():
    assert SegmentationParams.from_dict({"min_diameter_px": 3}).min_diameter_px == 3.0


def test_texts_stand_for_values():
    given = {"outline": "core", "sensitivity": "0.25", "fill_holes": "False", "working_long_side_px": "512"}
    made = SegmentationParams.from_texts(given)
    assert (made.outline, made.sensitivity, made.fill_holes) == ("core", 0.25, False)
    assert made.working_long_side_px == 512
    for wrong in (
        {"fill_holes": "yes"},
        {"sensitivity": "much"},
        {"working_long_side_px": "512.5"},
        {"x": "1"},
    ):
        with pytest.raises(InvalidRequest, match=next(iter(wrong))):
            SegmentationParams.from_texts(wrong)


@pytest.mark.parametrize(
    ("given_values", "word"),
    [
        ({"sensitivty": 0.1}, "sensitivty"),
        ({"sensitivity": 0.95}, "sensitivity"),
        ({"sensitivity": float("nan")}, "sensitivity"),
        ({"sensitivity": "0.1"}, "sensitivity"),
        ({"polarity": "grey"}, "polarity"),
        ({"split_touching": 1}, "split_touching"),
        ({"min_relative_area": True}, "min_relative_area"),
        ({"working_long_side_px": 3}, "working_long_side_px"),
        ({"working_long_side_px": 512.0}, "working_long_side_px"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(given_values, word):
    with pytest.raises(InvalidRequest) as caught:
        SegmentationParams.from_dict(given_values)
    assert word in caught.value.message
    assert caught.value.message.endswith(".")
