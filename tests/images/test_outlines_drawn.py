"""Drawn outlines: where they belong, visible on any background, on the smallest and the largest images."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from core.images.rendering import LINE_RGB, draw_outlines, thumbnail
from core.models import Contour, PageFacts, Raster, Spheroid


def square(low: float, high: float, number: int = 1, hole: tuple[float, float] | None = None) -> Spheroid:
    def ring(a: float, b: float) -> tuple[tuple[float, float], ...]:
        return ((a, a), (b, a), (b, b), (a, b))

    return Spheroid(number, Contour(ring(low, high), (ring(*hole),) if hole else ()), {})


def is_line(drawn: np.ndarray) -> np.ndarray:
    return np.abs(drawn.astype(int) - LINE_RGB).sum(axis=-1) < 60


@pytest.mark.parametrize("shape", [(64, 80), (64, 80, 3)])
def test_a_copy_in_colour_comes_back(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 120, np.uint8)
    drawn = draw_outlines(pixels, [square(10, 50)])
    assert drawn.shape == (64, 80, 3)
    assert drawn.dtype == np.uint8
    assert (pixels == 120).all()


def test_nothing_to_draw_leaves_the_picture() -> None:
    pixels = np.arange(64 * 64, dtype=np.uint16).astype(np.uint8).reshape(64, 64)
    assert np.array_equal(draw_outlines(pixels, []), np.dstack([pixels] * 3))


def test_outlines_pass_through_the_pixels_that_their_points_lie_in() -> None:
    # (20.5, 20.5) is the centre of the pixel in column 20 and row 20
    drawn = is_line(draw_outlines(np.zeros((100, 100), np.uint8), [square(20.5, 80.5, hole=(40.5, 60.5))]))
    y, x = np.nonzero(drawn[:30])
    assert (y.min(), x.min(), x.max()) == (20, 20, 80)
    assert drawn[40, 41:60].all()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_lines_and_numbers_stand_out_on_any_background(grey: int) -> None:
    drawn = draw_outlines(np.full((150, 150), grey, np.uint8), [square(40, 110)]).astype(int)
    around = drawn[36:45, 75]
    assert np.ptp(around.sum(axis=-1)) > 120
    number = drawn[60:90, 60:90]
    assert np.ptp(number.sum(axis=-1)) > 3 * 120


@pytest.mark.parametrize("side", [150, 4096])
def test_numbers_can_be_read_on_small_and_large_images(side: int) -> None:
    number = draw_outlines(np.full((side, side), 90, np.uint8), [square(side * 0.3, side * 0.7)])
    inner = number[int(side * 0.35) : int(side * 0.65), int(side * 0.35) : int(side * 0.65)]
    rows = np.flatnonzero((inner > 150).all(axis=-1).any(axis=1))
    height = rows.max() - rows.min() + 1
    assert height >= 7
    assert side / 100 <= height <= side / 10


def test_lines_grow_with_the_image() -> None:
    wide = []
    for side in (512, 4096):
        drawn = draw_outlines(np.zeros((side, side), np.uint8), [square(side / 4 + 0.5, side / 2)])
        wide.append(np.count_nonzero(is_line(drawn[: side // 3, side * 3 // 8])))
    assert wide[1] >= 4 * wide[0] > 0


def test_the_number_of_a_tiny_spheroid_stands_beside_it_and_on_the_image() -> None:
    for low in (2.0, 140.0):
        drawn = draw_outlines(np.full((150, 150), 90, np.uint8), [square(low, low + 8, number=1234)])
        text = (drawn > 150).all(axis=-1)
        assert text.sum() > 30
        assert not text[int(low) + 2 : int(low) + 6, int(low) + 2 : int(low) + 6].all()


def test_the_line_differs_from_grey_without_colour_vision_of_red_and_green() -> None:
    lab = cv2.cvtColor(np.uint8([[LINE_RGB]]), cv2.COLOR_RGB2LAB)[0, 0].astype(int)
    assert abs(lab[2] - 128) > 40  # blue to yellow, the axis that nearly everyone sees


def test_thumbnails_are_small_and_outlined_where_the_spheroid_is() -> None:
    pixels = np.full((400, 800), 3000, np.uint16)
    pixels[100:300, 100:300] = 900
    raster = Raster(pixels, PageFacts(1, 800, 400, 1, "uint16", 12))
    data = thumbnail(raster, [square(100, 300)], 160)
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (160, 80))
        line = np.asarray(picture.convert("RGB")).astype(int)
    assert line[40, 18:22, 0].max() - line[40, 18:22, 2].min() > 80
    assert len(data) < 10_000
