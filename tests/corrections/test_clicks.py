"""A click outlines a spheroid, grows an outline to it, or takes away what does not belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.corrections import NewRegion, Region
from core.corrections.clicks import Point, grow, take_away
from core.corrections.operations import Objects, applied, planned
from core.corrections.regions import iou, overlap
from core.errors import InvalidRequest
from core.segmentation.engines.base import Map
from core.segmentation.engines.click_network import SIDE, ClickNetwork, Window
from tests.corrections.scenes import disc, region

SHAPE = (300, 400)
Mask = NDArray[np.bool_]


@dataclass
class KnownTruth:
    """Answers clicks with the spheroids of a mask that a click is in; counts how often it is asked."""

    truth: NDArray[np.float32]
    windows: list[Window]

    @classmethod
    def of(cls, mask: Mask, sure: float = 1.0) -> KnownTruth:
        return cls(mask.astype(np.float32) * sure, [])

    def probability(
        self,
        window: Window,
        pixels: NDArray[np.generic],
        masks: tuple[Mask, Mask],
        click: Point,
        away: bool,
    ) -> Map:
        self.windows.append(window)
        shape = (pixels.shape[0], pixels.shape[1])
        assert masks[0].shape == masks[1].shape == self.truth[window.box(shape)].shape
        return window.view(self.truth[window.box(shape)], shape)


PIXELS = np.zeros(SHAPE, np.uint8)


def test_a_click_in_a_body_that_was_missed_outlines_it() -> None:
    body = disc(SHAPE, 200, 150, 40)
    (new,) = grow(KnownTruth.of(body), PIXELS, {}, (205, 160), None)
    assert new.number is None
    assert iou(new.region, region(body)) > 0.97


@pytest.mark.parametrize("radius", [6, 20, 140])
def test_the_window_follows_the_size_of_what_is_clicked(radius: float) -> None:
    body = disc(SHAPE, 200, 150, radius)
    model = KnownTruth.of(body)
    (new,) = grow(model, PIXELS, {}, (200, 150), None)
    assert iou(new.region, region(body)) > 0.9
    assert 1 <= len(model.windows) <= 3
    assert 2 * radius < model.windows[-1].side <= max(SHAPE)


def test_one_click_mends_an_outline_that_is_half_of_the_body() -> None:
    body = disc(SHAPE, 200, 150, 60)
    bad = region(body & (np.indices(SHAPE)[1] < 200))
    (new,) = grow(KnownTruth.of(body), PIXELS, {1: bad}, (230, 150), 1)
    assert new.number == 1
    assert iou(bad, region(body)) < 0.55
    assert iou(new.region, region(body)) > 0.97


def test_a_small_bump_is_added_and_all_of_a_large_outline_stays() -> None:
    body, bump = disc(SHAPE, 150, 150, 110), disc(SHAPE, 266, 150, 7)
    own = region(body)
    (new,) = grow(KnownTruth.of(bump | (body & ~disc(SHAPE, 60, 150, 30))), PIXELS, {1: own}, (268, 150), 1)
    assert new.number == 1
    assert new.region is not None
    assert new.region.holds(150, 270)
    assert overlap(new.region, own) == own.area, "an adding click takes nothing away"


def test_only_the_change_at_the_click_is_taken() -> None:
    body = disc(SHAPE, 200, 150, 60)
    columns = np.indices(SHAPE)[1]
    bad = region(body & (columns > 170) & (columns < 230))
    (new,) = grow(KnownTruth.of(body), PIXELS, {1: bad}, (245, 150), 1)
    assert new.region is not None
    assert new.region.holds(150, 245)
    assert not new.region.holds(150, 155), "the other side was not clicked"
    assert iou(new.region, region(body & (columns > 170))) > 0.97


def test_a_click_on_another_spheroid_than_the_selected_one_outlines_a_new_one() -> None:
    body, other = disc(SHAPE, 100, 150, 40), disc(SHAPE, 300, 150, 40)
    objects = {1: region(body)}
    (new,) = grow(KnownTruth.of(body | other), PIXELS, objects, (300, 150), 1)
    assert new.number is None
    assert iou(new.region, region(other)) > 0.95


def test_no_click_takes_pixels_of_another_outline() -> None:
    body, other = disc(SHAPE, 180, 150, 40), disc(SHAPE, 240, 150, 40)
    objects = {1: region(body & ~other & (np.indices(SHAPE)[1] < 180)), 2: region(other)}
    new = grow(KnownTruth.of(body | other), PIXELS, objects, (190, 150), 1)
    state = applied(objects, planned(objects, new, 3))
    assert state[2] == objects[2]
    assert iou(state[1], region(body & ~other)) > 0.95


def test_what_is_faint_is_outlined_where_somebody_says_that_it_is_there() -> None:
    body = disc(SHAPE, 200, 150, 40)
    (new,) = grow(KnownTruth.of(body, 0.3), PIXELS, {}, (200, 150), None)
    assert iou(new.region, region(body)) > 0.9


def test_a_click_takes_away_the_debris_that_sticks_to_an_outline() -> None:
    body, debris = disc(SHAPE, 150, 150, 40), disc(SHAPE, 202, 150, 14)
    (new,) = take_away(KnownTruth.of(body), PIXELS, {1: region(body | debris)}, (206, 150))
    assert new.number == 1
    assert iou(new.region, region(body)) > 0.95


def test_an_outline_around_nothing_is_deleted() -> None:
    objects = {1: region(disc(SHAPE, 150, 150, 40))}
    nothing = KnownTruth.of(np.zeros(SHAPE, np.bool_))
    assert take_away(nothing, PIXELS, objects, (150, 150)) == [NewRegion(1, None)]


EVERYTHING, NOTHING = np.ones(SHAPE, np.bool_), np.zeros(SHAPE, np.bool_)


@pytest.mark.parametrize(
    ("point", "number", "away", "truth", "message"),
    [
        ((500, 10), None, False, EVERYTHING, "within the image"),
        ((float("nan"), 1), None, False, EVERYTHING, "within the image"),
        ((80, 100), None, False, EVERYTHING, "another outline"),
        ((300, 250), None, False, NOTHING, "No spheroid was seen"),
        ((300, 250), 1, False, NOTHING, "No spheroid was seen"),
        ((80, 100), 1, False, disc(SHAPE, 80, 100, 20), "Nothing more"),
        ((10, 10), None, True, NOTHING, "no outline"),
        ((80, 100), None, True, EVERYTHING, "seems to belong"),
    ],
)
def test_a_click_where_there_is_nothing_to_do_says_so(
    point: Point, number: int | None, away: bool, truth: Mask, message: str
) -> None:
    objects = {1: region(disc(SHAPE, 80, 100, 30))}
    model = KnownTruth.of(truth)
    act = partial(take_away, model, PIXELS, objects) if away else partial(_grow, model, objects, number)
    with pytest.raises(InvalidRequest, match=message):
        act(point)


def _grow(model: KnownTruth, objects: Objects, number: int | None, point: Point) -> list[NewRegion]:
    return grow(model, PIXELS, objects, point, number)


@pytest.mark.parametrize(("dark", "shape"), [(True, (300, 400)), (False, (300, 400)), (True, (90, 70))])
def test_the_shipped_network_outlines_a_body_and_mends_its_half(dark: bool, shape: tuple[int, int]) -> None:
    y, x, radius = shape[0] / 2, shape[1] / 2, 0.25 * min(shape)
    body = disc(shape, x, y, radius)
    grey = cv2.GaussianBlur(np.where(body == dark, 60, 180).astype(np.float32), (0, 0), 1.5)
    pixels = (grey + np.random.default_rng(1).normal(0, 4, shape)).clip(0, 255).astype(np.uint8)
    network = ClickNetwork()
    (new,) = grow(network, pixels, {}, (x, y), None)
    assert iou(new.region, region(body)) > 0.9
    half = region(body & (np.indices(shape)[1] < x))
    (mended,) = grow(network, pixels, {1: half}, (x + 0.5 * radius, y), 1)
    assert iou(mended.region, region(body)) > 0.9


@pytest.mark.parametrize("shape", [(300, 400), (2000, 50), (64, 64), (1, 1)])
def test_a_window_shows_its_part_of_any_image_and_gives_it_back(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    smooth = cv2.GaussianBlur(rng.random(shape).astype(np.float32), (0, 0), 9)
    level = float(np.median(smooth))
    for _ in range(20):
        centre = (rng.uniform(0, shape[1]), rng.uniform(0, shape[0]))
        window = Window.around(centre, float(np.exp(rng.uniform(0, 9))), shape)
        rows, columns = window.box(shape)
        assert rows.start <= centre[1] <= rows.stop
        assert columns.start <= centre[0] <= columns.stop
        seen = window.view((smooth >= level)[rows, columns], shape)
        assert seen.shape == (SIDE, SIDE)
        back = window.mask(seen, 0.5, shape)
        assert back.shape == (rows.stop - rows.start, columns.stop - columns.start)
        if window.scale >= 0.9:
            assert (back == (smooth >= level)[rows, columns]).mean() > 0.97


def test_a_region_knows_its_pixels() -> None:
    found = Region(2, 3, 2, 2, (0, 1, 3, 1))
    assert [(y, x) for y in range(7) for x in range(6) if found.holds(y, x)] == [(3, 2), (4, 3)]
