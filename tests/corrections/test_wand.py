"""A click grows, trims or splits an outline on the map that the engine left."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from core.corrections import NewRegion, Region, regions_of, wand
from core.corrections.map_parts import connected_box, enlarged
from core.corrections.operations import applied, planned
from core.corrections.regions import iou
from core.errors import InvalidRequest

SHAPE = (200, 240)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    return np.hypot(rows + 0.5 - y, columns + 0.5 - x) <= radius


def smooth_map(*discs: tuple[float, float, float], level: float = 0.9) -> np.ndarray:
    """A map at half the size in which probabilities fall off within 8 px of an edge."""
    rows, columns = np.indices((SHAPE[0] // 2, SHAPE[1] // 2))
    away = [radius - np.hypot(2 * rows + 1 - y, 2 * columns + 1 - x) for x, y, radius in discs]
    return (level * np.clip(0.5 + np.maximum.reduce(away) / 16, 0, 1)).astype(np.float32)


def region(mask: np.ndarray) -> Region:
    found = Region.of(mask)
    assert found is not None
    return found


def test_a_click_in_a_body_that_was_missed_outlines_it() -> None:
    (new,) = wand.grow({}, smooth_map((120, 100, 40)), (120, 100), SHAPE, None)
    assert iou(new.region, region(disc(120, 100, 40))) > 0.9


def test_a_click_in_a_faint_body_outlines_it_too() -> None:
    (new,) = wand.grow({}, smooth_map((120, 100, 40), level=0.3), (120, 100), SHAPE, None)
    assert iou(new.region, region(disc(120, 100, 40))) > 0.6


def test_one_click_mends_an_outline_that_is_half_of_the_body() -> None:
    bad = region(disc(120, 100, 40) & (np.indices(SHAPE)[1] < 120))
    (new,) = wand.grow({1: bad}, smooth_map((120, 100, 40)), (140, 100), SHAPE, 1)
    assert iou(bad, region(disc(120, 100, 40))) < 0.55
    assert iou(new.region, region(disc(120, 100, 40))) > 0.9


def test_a_click_within_an_outline_reaches_further_out_and_not_into_its_neighbour() -> None:
    objects = regions_of(np.where(disc(80, 100, 30), 1, np.where(disc(150, 100, 30), 2, 0)).astype(np.int32))
    (new,) = wand.grow(objects, smooth_map((80, 100, 40), (150, 100, 40)), (80, 100), SHAPE, 1)
    assert new.region is not None
    assert new.region.area > objects[1].area
    assert sorted(applied(objects, planned(objects, [new], 3))) == [1, 2]


def test_a_click_takes_away_the_debris_that_sticks_to_an_outline() -> None:
    body, debris = disc(100, 100, 40), disc(152, 100, 14)
    (new,) = wand.take_away({1: region(body | debris)}, (156, 100), SHAPE)
    assert iou(new.region, region(body)) > 0.95


def test_two_clicks_split_bodies_that_touch() -> None:
    one, other = disc(80, 100, 34), disc(144, 100, 32)
    objects = {1: region(one | other)}
    parts = wand.split(objects, (80, 100), (144, 100), SHAPE)
    state = applied(objects, planned(objects, parts, 2))
    assert iou(state[1], region(one & ~other)) > 0.9
    assert iou(state[2], region(other & ~one)) > 0.9
    assert state[1].area + state[2].area == objects[1].area


@pytest.mark.parametrize(
    "act",
    [
        lambda objects, seen: wand.grow(objects, seen, (500, 10), SHAPE, None),
        lambda objects, seen: wand.grow(objects, seen, (10, 10), SHAPE, None),
        lambda objects, seen: wand.grow(objects, seen, (80, 100), SHAPE, None),
        lambda objects, seen: wand.grow(objects, seen, (float("nan"), 1), SHAPE, None),
        lambda objects, seen: wand.take_away(objects, (10, 10), SHAPE),
        lambda objects, seen: wand.split(objects, (80, 100), (10, 10), SHAPE),
        lambda objects, seen: wand.split(objects, (80, 100), (80.2, 100.3), SHAPE),
    ],
)
def test_a_click_where_there_is_nothing_to_do_says_so(act: object) -> None:
    objects = {1: region(disc(80, 100, 30))}
    with pytest.raises(InvalidRequest):
        act(objects, smooth_map((80, 100, 30)))  # type: ignore[operator]


def test_a_click_on_the_middle_to_take_away_deletes() -> None:
    objects = {1: region(disc(80, 100, 30))}
    depth_x, depth_y = 80, 100
    (new,) = wand.take_away(objects, (depth_x - 0.5, depth_y - 0.5), SHAPE)
    assert isinstance(new, NewRegion)


def test_of_a_large_image_only_what_connects_with_the_click_is_enlarged() -> None:
    shape = (7812, 10_240)
    seen = np.zeros((781, 1024), np.float32)
    cv2.circle(seen, (300, 400), 40, 1.0, -1)
    cv2.circle(seen, (700, 200), 30, 1.0, -1)
    rows, columns = connected_box(seen, 0.5, (4000, 3000), shape)
    assert (rows.stop - rows.start) * (columns.stop - columns.start) < 10**6
    (new,) = wand.grow({}, seen, (3000, 4000), shape, None)
    assert new.region is not None
    assert new.region.area == pytest.approx(np.pi * 405**2, rel=0.03)
    assert (new.region.x, new.region.y) == (pytest.approx(2600, abs=15), pytest.approx(3600, abs=15))


@pytest.mark.parametrize("seed", range(20))
def test_the_part_of_a_map_holds_all_that_connects(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = cv2.GaussianBlur(rng.random((30, 37)).astype(np.float32), (0, 0), 1.5)
    level = float(np.quantile(seen, 0.7))
    whole = enlarged(seen, (slice(0, SHAPE[0]), slice(0, SHAPE[1])), SHAPE) >= level
    parts, count = ndimage.label(whole)
    assert count > 1
    for number in range(1, count + 1):
        row, column = np.argwhere(parts == number)[0].tolist()
        box = connected_box(seen, level, (row, column), SHAPE)
        assert (parts[box] == number).sum() == (parts == number).sum()
