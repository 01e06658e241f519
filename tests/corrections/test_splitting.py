"""Two clicks split an outline at its neck."""

from __future__ import annotations

import pytest

from core.corrections.operations import applied, planned
from core.corrections.regions import iou
from core.corrections.splitting import split
from core.errors import InvalidRequest
from tests.corrections.scenes import disc, region

SHAPE = (200, 240)


def test_two_clicks_split_bodies_that_touch() -> None:
    one, other = disc(SHAPE, 80, 100, 34), disc(SHAPE, 144, 100, 32)
    objects = {1: region(one | other)}
    parts = split(objects, (80, 100), (144, 100), SHAPE)
    state = applied(objects, planned(objects, parts, 2))
    assert iou(state[1], region(one & ~other)) > 0.9
    assert iou(state[2], region(other & ~one)) > 0.9
    assert state[1].area + state[2].area == objects[1].area


def test_a_body_without_a_neck_is_split_half_way() -> None:
    whole = disc(SHAPE, 100, 100, 40)
    parts = split({1: region(whole)}, (80, 100), (120, 100), SHAPE)
    areas = [part.region.area for part in parts if part.region is not None]
    assert sum(areas) == whole.sum()
    assert min(areas) > 0.45 * whole.sum()


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ((500, 10), (80, 100), "within the image"),
        ((float("nan"), 1), (80, 100), "within the image"),
        ((10, 10), (80, 100), "no outline"),
        ((80, 100), (10, 10), "no outline"),
        ((80, 100), (170, 100), "same outline"),
        ((80, 100), (80.2, 100.3), "different points"),
    ],
)
def test_clicks_that_split_nothing_say_why(
    one: tuple[float, float], other: tuple[float, float], message: str
) -> None:
    objects = {1: region(disc(SHAPE, 80, 100, 30)), 2: region(disc(SHAPE, 170, 100, 30))}
    with pytest.raises(InvalidRequest, match=message):
        split(objects, one, other, SHAPE)
