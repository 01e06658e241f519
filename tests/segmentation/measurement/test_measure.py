"""Measurements: the golden vectors of the contract, by hand or from the definitions."""

import math

import numpy as np
import pytest

from core.errors import InvalidRequest
from core.models import MEASUREMENTS
from core.segmentation.measurement.measure import measure, reasons
from tests.segmentation.shapes import disc, ellipse, flat


def one(labels, pixels=None):
    (values,) = measure(labels, flat(labels) if pixels is None else pixels)
    return values


@pytest.fixture(scope="module")
def square():
    return one(np.pad(np.ones((90, 90), np.int32), 5))


def test_every_column_is_there_and_no_other(square):
    assert set(square) == {column.name for column in MEASUREMENTS}


def test_square_of_90(square):
    assert square["area"] == 8100
    assert square["equivalent_diameter"] == pytest.approx(101.55, abs=0.005)
    assert square["solidity"] == 1
    assert square["extent"] == 1
    assert square["feret_max"] == pytest.approx(127.28, abs=0.005)
    assert square["feret_min"] == pytest.approx(90.00, abs=1e-9)


def test_square_is_convex_and_placed_by_its_pixels(square):
    assert square["convexity"] == pytest.approx(1)
    assert (square["bbox_x"], square["bbox_y"], square["bbox_width"], square["bbox_height"]) == (5, 5, 90, 90)
    assert (square["centroid_x"], square["centroid_y"]) == (50, 50)
    assert not square["touches_border"]


def test_volumes_follow_from_diameter_and_ferets(square):
    assert square["volume_sphere"] == pytest.approx(math.pi / 6 * 101.5541**3, rel=1e-5)
    assert square["volume_ellipsoid"] == pytest.approx(math.pi / 6 * 127.2792 * 90**2, rel=1e-5)


@pytest.mark.parametrize("radius", [10, 25, 50, 100, 200, 400])
def test_a_disc_is_round_within_one_percent(radius):
    values = one(disc(radius))
    assert values["circularity"] == pytest.approx(1, abs=0.01)
    assert values["sphericity_2d"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("radius", [5, 10, 25, 50, 100, 200, 400])
def test_no_circularity_is_clamped(radius):
    values = one(disc(radius))
    product = 4 * math.pi * values["area"] / values["perimeter"] ** 2
    assert values["circularity"] == pytest.approx(product, rel=1e-12)


def test_imagej_reads_a_large_disc_as_0_90():
    assert one(disc(200))["circularity_imagej"] == pytest.approx(0.90, abs=0.005)


def test_annulus():
    outer, inner = 60, 25
    labels = disc(outer)
    labels[disc(inner, pad=3 + outer - inner) > 0] = 0
    values = one(labels)
    assert values["area"] == pytest.approx(math.pi * (outer**2 - inner**2), rel=0.01)
    assert values["n_holes"] == 1


@pytest.mark.parametrize("degrees", range(0, 180, 15))
def test_ellipse_two_to_one(degrees):
    values = one(ellipse(160, 80, degrees))
    assert values["aspect_ratio"] == pytest.approx(2, rel=0.01)
    assert values["feret_max"] == pytest.approx(160, abs=1.5)
    assert values["feret_min"] == pytest.approx(80, abs=1.5)


@pytest.mark.parametrize(
    ("shape", "edges", "corners"),
    [((1, 1), 4, 2), ((2, 2), 8, 4), ((3, 5), 16, 4), ((1, 7), 16, 3)],
)
def test_imagej_perimeter_of_rectangles(shape, edges, corners):
    # On the bar ImageJ counts 3, not 2: it starts below the right end, with a corner that it always counts.
    area = shape[0] * shape[1]
    perimeter = edges - corners * (2 - math.sqrt(2))
    values = one(np.pad(np.ones(shape, np.int32), 2))
    assert values["circularity_imagej"] == pytest.approx(min(1, 4 * math.pi * area / perimeter**2))


def test_imagej_takes_the_outer_edge_alone():
    whole, ring = disc(30), disc(30)
    ring[disc(10, pad=23) > 0] = 0
    expected = one(whole)["circularity_imagej"] * ring.sum() / whole.sum()
    assert one(ring)["circularity_imagej"] == pytest.approx(expected)


def test_one_pixel_has_values_and_reasons():
    values = one(np.pad(np.ones((1, 1), np.int32), 1))
    why = reasons(values)
    assert values["area"] == 1
    assert values["feret_min"] == 1
    assert {name for name, value in values.items() if value is None} == set(why)
    assert set(why) == {"roundness", "aspect_ratio", "eccentricity"}


@pytest.mark.parametrize(
    "line", [np.ones((1, 9), np.int32), np.ones((9, 1), np.int32), np.eye(9, dtype=np.int32)]
)
def test_a_line_has_no_aspect_ratio(line):
    values = one(np.pad(line, 1))
    assert set(reasons(values)) == {"aspect_ratio"}
    assert values["eccentricity"] == 1


def test_intensities_are_the_raw_pixels():
    labels = disc(12)
    pixels = np.random.default_rng(3).integers(0, 4096, labels.shape).astype(np.uint16)
    values = one(labels, pixels)
    assert values["intensity_mean"] == pytest.approx(pixels[labels > 0].mean())
    assert values["intensity_sd"] == pytest.approx(pixels[labels > 0].std())


def test_colour_is_measured_as_brightness_without_rounding():
    labels = disc(6)
    pixels = np.zeros((*labels.shape, 4), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 3] = 11, 7, 255
    assert one(labels, pixels)["intensity_mean"] == pytest.approx(0.299 * 11 + 0.587 * 7, rel=1e-5)


def test_pixels_that_are_no_numbers_give_no_intensity():
    labels = disc(6)
    pixels = np.full(labels.shape, np.nan, np.float32)
    assert set(reasons(one(labels, pixels))) == {"intensity_mean", "intensity_sd"}


def test_touching_the_border_is_a_fact():
    assert one(np.ones((3, 3), np.int32))["touches_border"] is True


def test_numbers_that_do_not_occur_have_no_entry():
    labels = np.zeros((9, 9), np.int32)
    labels[1:3, 1:3], labels[5:8, 5:8] = 2, 5
    assert [values["area"] for values in measure(labels, flat(labels))] == [4, 9]


def test_no_labels_have_no_measurements():
    assert measure(np.zeros((4, 4), np.int32), np.zeros((4, 4), np.uint8)) == []


def test_labels_and_pixels_must_agree():
    with pytest.raises(InvalidRequest):
        measure(np.zeros((4, 4), np.int32), np.zeros((4, 5), np.uint8))
