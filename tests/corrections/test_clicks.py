"""A click outlines a spheroid, grows an outline to it, or takes away what does not belong to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.corrections import NewRegion, Region
from core.corrections.clicks import Point, grow, take_away
from core.corrections.operations import Objects, applied, planned
from core.corrections.regions import iou, overlap
from core.errors import InvalidRequest, SegmentationError
from core.segmentation.engines.base import Map
from core.segmentation.engines.click_network import SIDE, ClickNetwork, Picture, Window
from tests.corrections.scenes import disc, region

SHAPE = (300, 400)
Mask = NDArray[np.bool_]


@dataclass
class KnownTruth:
    """Answers clicks with a map of what is true; keeps the windows and polarities that it was asked about."""

    truth: NDArray[np.float32]
    windows: list[Window] = field(default_factory=list)
    polarities: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, mask: Mask, sure: float = 1.0) -> KnownTruth:
        return cls(mask.astype(np.float32) * sure)

    def probability(
        self, window: Window, picture: Picture, masks: tuple[Mask, Mask], click: Point, away: bool
    ) -> Map:
        self.windows.append(window)
        self.polarities.append(picture.polarity)
        part = self.truth[window.box(picture.shape)]
        assert masks[0].shape == masks[1].shape == part.shape
        return window.view(part, picture.shape)


BLANK = Picture(np.zeros(SHAPE, np.uint8))


def drawn(*discs: tuple[float, float, float], shape: tuple[int, int], dark: bool = True) -> NDArray[np.uint8]:
    """A picture of discs, each x, y and radius, a little soft and noisy."""
    body = np.logical_or.reduce([disc(shape, *one) for one in discs])
    grey = cv2.GaussianBlur(np.where(body == dark, 60, 180).astype(np.float32), (0, 0), 1.5)
    return (grey + np.random.default_rng(1).normal(0, 4, shape)).clip(0, 255).astype(np.uint8)


def test_a_click_in_a_body_that_was_missed_outlines_it() -> None:
    body = disc(SHAPE, 200, 150, 40)
    (new,) = grow(KnownTruth.of(body), BLANK, {}, (205, 160), None)
    assert new.number is None
    assert iou(new.region, region(body)) > 0.97


@pytest.mark.parametrize("radius", [6, 20, 140])
def test_the_window_follows_the_size_of_what_is_clicked(radius: float) -> None:
    body = disc(SHAPE, 200, 150, radius)
    model = KnownTruth.of(body)
    (new,) = grow(model, BLANK, {}, (200, 150), None)
    assert iou(new.region, region(body)) > 0.9
    assert 1 <= len(model.windows) <= 3
    assert 2 * radius < model.windows[-1].side <= max(SHAPE)


def test_one_click_mends_an_outline_that_is_half_of_the_body() -> None:
    body = disc(SHAPE, 200, 150, 60)
    bad = region(body & (np.indices(SHAPE)[1] < 200))
    (new,) = grow(KnownTruth.of(body), BLANK, {1: bad}, (230, 150), 1)
    assert new.number == 1
    assert iou(bad, region(body)) < 0.55
    assert iou(new.region, region(body)) > 0.97


def test_the_polarity_of_the_image_is_passed_on() -> None:
    model = KnownTruth.of(disc(SHAPE, 200, 150, 40))
    grow(model, replace(BLANK, polarity="bright"), {}, (200, 150), None)
    assert set(model.polarities) == {"bright"}


def test_a_small_bump_is_added_and_all_of_a_large_outline_stays() -> None:
    body, bump = disc(SHAPE, 150, 150, 110), disc(SHAPE, 266, 150, 7)
    own = region(body)
    (new,) = grow(KnownTruth.of(bump | (body & ~disc(SHAPE, 60, 150, 30))), BLANK, {1: own}, (268, 150), 1)
    assert new.number == 1
    assert new.region is not None
    assert new.region.holds(150, 270)
    assert overlap(new.region, own) == own.area, "an adding click takes nothing away"


def test_only_the_change_at_the_click_is_taken() -> None:
    body = disc(SHAPE, 200, 150, 60)
    columns = np.indices(SHAPE)[1]
    bad = region(body & (columns > 170) & (columns < 230))
    (new,) = grow(KnownTruth.of(body), BLANK, {1: bad}, (245, 150), 1)
    assert new.region is not None
    assert new.region.holds(150, 245)
    assert not new.region.holds(150, 155), "the other side was not clicked"
    assert iou(new.region, region(body & (columns > 170))) > 0.97


def test_a_click_on_another_spheroid_than_the_selected_one_outlines_a_new_one() -> None:
    body, other = disc(SHAPE, 100, 150, 40), disc(SHAPE, 300, 150, 40)
    objects = {1: region(body)}
    (new,) = grow(KnownTruth.of(body | other), BLANK, objects, (300, 150), 1)
    assert new.number is None
    assert iou(new.region, region(other)) > 0.95


def test_no_click_takes_pixels_of_another_outline() -> None:
    body, other = disc(SHAPE, 180, 150, 40), disc(SHAPE, 240, 150, 40)
    objects = {1: region(body & ~other & (np.indices(SHAPE)[1] < 180)), 2: region(other)}
    new = grow(KnownTruth.of(body | other), BLANK, objects, (190, 150), 1)
    state = applied(objects, planned(objects, new, 3))
    assert state[2] == objects[2]
    assert iou(state[1], region(body & ~other)) > 0.95


def test_what_is_faint_is_outlined_where_somebody_says_that_it_is_there() -> None:
    body = disc(SHAPE, 200, 150, 40)
    (new,) = grow(KnownTruth.of(body, 0.3), BLANK, {}, (200, 150), None)
    assert iou(new.region, region(body)) > 0.9


def test_a_click_takes_away_the_debris_that_sticks_to_an_outline() -> None:
    body, debris = disc(SHAPE, 150, 150, 40), disc(SHAPE, 202, 150, 14)
    (new,) = take_away(KnownTruth.of(body), BLANK, {1: region(body | debris)}, (206, 150))
    assert new.number == 1
    assert iou(new.region, region(body)) > 0.95


def test_an_outline_around_nothing_is_deleted() -> None:
    objects = {1: region(disc(SHAPE, 150, 150, 40))}
    nothing = KnownTruth.of(np.zeros(SHAPE, np.bool_))
    assert take_away(nothing, BLANK, objects, (150, 150)) == [NewRegion(1, None)]


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
    act = partial(take_away, model, BLANK, objects) if away else partial(_grow, model, objects, number)
    with pytest.raises(InvalidRequest, match=message):
        act(point)


def _grow(model: KnownTruth, objects: Objects, number: int | None, point: Point) -> list[NewRegion]:
    return grow(model, BLANK, objects, point, number)


def test_a_click_away_between_two_spheroids_keeps_both() -> None:
    one, other, bridge = disc(SHAPE, 110, 150, 60), disc(SHAPE, 280, 150, 55), np.zeros(SHAPE, np.bool_)
    bridge[140:160, 160:240] = True
    objects = {1: region(one | other | bridge)}
    new = take_away(KnownTruth.of(one | other), BLANK, objects, (198, 150))
    state = applied(objects, planned(objects, new, 2))
    assert iou(state[1], region(one)) > 0.95
    assert iou(state[2], region(other)) > 0.95


def test_a_click_away_where_the_network_is_unsure_takes_the_part_that_is_less_sure() -> None:
    body, bump = disc(SHAPE, 150, 150, 60), disc(SHAPE, 222, 150, 20)
    truth = np.where(body, 1.0, np.where(bump, 0.7, 0.0)).astype(np.float32)
    (new,) = take_away(KnownTruth(truth), BLANK, {1: region(body | bump)}, (228, 150))
    assert iou(new.region, region(body)) > 0.95


def test_no_crumb_is_left_of_what_is_taken_away() -> None:
    truth = np.zeros(SHAPE, np.float32)
    truth[120:123, 120:123] = 1
    objects = {1: region(disc(SHAPE, 150, 150, 40))}
    assert take_away(KnownTruth(truth), BLANK, objects, (150, 150)) == [NewRegion(1, None)]


def test_a_click_away_in_a_lumen_makes_a_hole() -> None:
    body, lumen = disc(SHAPE, 200, 150, 60), disc(SHAPE, 200, 150, 25)
    (new,) = take_away(KnownTruth.of(body & ~lumen), BLANK, {1: region(body)}, (200, 150))
    assert iou(new.region, region(body & ~lumen)) > 0.97


def test_a_click_on_the_edge_of_a_faint_part_is_right_to_the_pixel() -> None:
    shape = (900, 900)
    truth = np.where(np.indices(shape)[1] >= 450, 0.4, 0.0).astype(np.float32)
    picture = Picture(np.zeros(shape, np.uint8))
    for x in (450.5, 453.5):
        (new,) = grow(KnownTruth(truth), picture, {}, (x, 300.5), None)
        assert new.region is not None
        assert new.region.holds(300, int(x))
    objects = {1: region(np.ones(shape, np.bool_))}
    (left,) = take_away(
        KnownTruth(np.where(truth > 0, 1, 0.2).astype(np.float32)), picture, objects, (449.5, 300)
    )
    assert left.region is not None
    assert not left.region.holds(300, 449)


def test_a_click_in_an_outline_that_lacks_nothing_says_so_whatever_lies_beside_it() -> None:
    body, beside = disc(SHAPE, 100, 150, 40), disc(SHAPE, 190, 150, 40)
    with pytest.raises(InvalidRequest, match="Nothing more"):
        grow(KnownTruth.of(body | beside), BLANK, {1: region(body)}, (100, 150), 1)


@pytest.mark.parametrize("x", [0.0, 399.9])
@pytest.mark.parametrize("y", [0.0, 299.9])
def test_a_click_in_a_corner_of_the_image_is_a_click(x: float, y: float) -> None:
    body = disc(SHAPE, x, y, 50)
    (new,) = grow(KnownTruth.of(body), BLANK, {}, (x, y), None)
    assert iou(new.region, region(body)) > 0.95


@pytest.mark.parametrize(("dark", "shape"), [(True, (300, 400)), (False, (300, 400)), (True, (90, 70))])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_shipped_network_outlines_a_body_and_mends_its_half(
    dark: bool, shape: tuple[int, int], dtype: type
) -> None:
    y, x, radius = shape[0] / 2, shape[1] / 2, 0.25 * min(shape)
    body = disc(shape, x, y, radius)
    factor = {np.uint8: 1, np.uint16: 200, np.float32: 1e-3}[dtype]
    picture = Picture(
        (drawn((x, y, radius), shape=shape, dark=dark).astype(np.float64) * factor).astype(dtype)
    )
    network = ClickNetwork()
    (new,) = grow(network, picture, {}, (x, y), None)
    assert iou(new.region, region(body)) > 0.9
    half = region(body & (np.indices(shape)[1] < x))
    (mended,) = grow(network, picture, {1: half}, (x + 0.5 * radius, y), 1)
    assert iou(mended.region, region(body)) > 0.9


def test_a_click_far_from_the_selected_spheroid_outlines_one_as_if_nothing_were_selected() -> None:
    shape = (1200, 1500)
    near, far = (100.0, 100.0, 15.0), (1350.0, 1050.0, 15.0)
    objects = {1: region(disc(shape, *near))}
    (new,) = grow(ClickNetwork(), Picture(drawn(near, far, shape=shape)), objects, far[:2], 1)
    assert new.number is None
    assert iou(new.region, region(disc(shape, *far))) > 0.85


def test_80_megapixels_are_clicked() -> None:
    shape = (7812, 10_240)
    pixels = np.full(shape, 180, np.uint8)
    cv2.circle(pixels, (3000, 4000), 900, 60, -1)
    body = Region.of(pixels == 60)
    assert body is not None
    others = {n: region(np.ones((40, 40), np.bool_)) for n in range(2, 400)}
    objects = {n: replace(one, x=20 * n, y=5500) for n, one in others.items()}
    (new,) = grow(
        ClickNetwork(), Picture(pixels), objects | {1: region(np.ones((9, 9), np.bool_))}, (3000, 4000), None
    )
    assert iou(new.region, body) > 0.93


def test_weights_that_are_missing_are_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(SegmentationError, match=r"click\.json"):
        grow(ClickNetwork(tmp_path / "click.safetensors"), BLANK, {}, (10, 10), None)


@pytest.mark.parametrize("shape", [(300, 400), (2000, 51), (2000, 55), (999, 333), (64, 64), (1, 1)])
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
        back = window.enlarged(seen, shape) >= 128
        assert back.shape == (rows.stop - rows.start, columns.stop - columns.start)
        if window.scale >= 0.9:
            assert (back == (smooth >= level)[rows, columns]).mean() > 0.97


@pytest.mark.parametrize("side", [200, 1000, 1500, 4096, 10_240])
def test_edges_come_back_where_they_were_at_every_scale(side: int) -> None:
    mask = np.zeros((side, side), np.bool_)
    first, last = round(0.31 * side), round(0.77 * side)
    mask[first:last, first:last] = True
    window = Window.around((side / 2, side / 2), side, mask.shape)
    back = region(window.enlarged(window.view(mask, mask.shape), mask.shape) >= 128)
    half_a_pixel = max(1.0, 0.5 / window.scale)
    assert back.x == pytest.approx(first, abs=half_a_pixel)
    assert back.x + back.width == pytest.approx(last, abs=half_a_pixel)
    assert back.y == pytest.approx(first, abs=half_a_pixel)


def test_a_region_knows_its_pixels() -> None:
    found = Region(2, 3, 2, 2, (0, 1, 3, 1))
    assert [(y, x) for y in range(7) for x in range(6) if found.holds(y, x)] == [(3, 2), (4, 3)]
