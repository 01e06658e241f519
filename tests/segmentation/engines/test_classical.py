"""The classical engine on scenes whose truth is known."""

from functools import partial

import cv2
import numpy as np
import pytest
from scipy import ndimage

from core.errors import InvalidRequest
from core.models import MEASUREMENTS
from core.segmentation import SegmentationParams
from core.segmentation.outlines.contours import rasterise
from tests import engines
from tests.segmentation.shapes import field, stored

segment = partial(engines.segment, engine="classical")

THREE = [(110, 120, 40), (330, 130, 55), (210, 300, 48)]


def run(picture, **params):
    return segment(stored(picture, np.uint16, 4095), SegmentationParams(**params))


def diameters(result):
    return [body.measurements["equivalent_diameter"] for body in result.spheroids]


def test_dark_bodies_are_found_largest_first():
    result = run(field(THREE))
    assert diameters(result) == pytest.approx([110, 96, 80], rel=0.03)
    assert [body.number for body in result.spheroids] == [1, 2, 3]
    centres = [(b.measurements["centroid_x"], b.measurements["centroid_y"]) for b in result.spheroids]
    assert np.allclose(centres, [(330.5, 130.5), (210.5, 300.5), (110.5, 120.5)], atol=1.5)


def test_bright_bodies_are_found_without_being_told():
    assert diameters(run(1 - field(THREE))) == pytest.approx([110, 96, 80], rel=0.03)


def test_the_wrong_polarity_finds_nothing():
    assert run(field(THREE), polarity="bright").spheroids == ()


def test_results_are_whole_and_agree_with_each_other():
    result = run(field(THREE))
    assert result.labels.dtype == np.int32
    assert result.labels.shape == (400, 500)
    assert np.array_equal(rasterise([b.contour for b in result.spheroids], (400, 500)), result.labels)
    assert all(set(b.measurements) == {c.name for c in MEASUREMENTS} for b in result.spheroids)
    assert set(result.timings_ms) == {"predict", "postprocess", "measure", "contours"}
    assert SegmentationParams.from_dict(result.params) == SegmentationParams()


def test_bodies_that_touch_are_two_unless_that_is_switched_off():
    touching = field([(170, 200, 50), (262, 200, 50)])
    assert len(run(touching).spheroids) == 2
    assert len(run(touching, split_touching=False).spheroids) == 1


def test_a_long_body_is_not_cut():
    picture = np.full((300, 400), 0.8)
    inside = cv2.ellipse(np.zeros((300, 400), np.uint8), (200, 150), (110, 45), 20, 0, 360, 1, cv2.FILLED)
    picture -= 0.5 * ndimage.gaussian_filter(inside.astype(float), 1.5)
    assert len(run(picture + np.random.default_rng(0).normal(0, 0.01, picture.shape)).spheroids) == 1


def test_debris_is_left_out():
    rng = np.random.default_rng(1)
    crumbs = [(int(x), int(y), 3) for x, y in rng.integers(10, 390, (40, 2))]
    assert len(run(field([(250, 200, 60), *crumbs])).spheroids) == 1


def test_min_relative_area_decides_what_is_debris():
    scene = field([(250, 200, 60), (80, 80, 18)])
    assert len(run(scene).spheroids) == 2
    assert len(run(scene, min_relative_area=0.3).spheroids) == 1


def test_min_diameter_drops_what_is_smaller():
    assert len(run(field(THREE), min_diameter_px=90.0).spheroids) == 2


def test_a_well_wall_is_no_spheroid():
    picture = field([(230, 200, 50)])
    picture[:, 460:] -= 0.6 * np.linspace(0, 1, 40)
    assert diameters(run(picture)) == pytest.approx([100], rel=0.04)


def test_a_dark_frame_is_no_spheroid():
    picture = field([(250, 200, 50)])
    picture[:12], picture[-12:] = 0.02, 0.02
    assert diameters(run(picture)) == pytest.approx([100], rel=0.04)


def test_a_vignette_is_no_spheroid():
    y, x = np.mgrid[-1:1:400j, -1:1:500j]
    assert diameters(run(field(THREE) * (1 - 0.25 * (x * x + y * y)))) == pytest.approx(
        [110, 96, 80], rel=0.04
    )


def test_a_scale_bar_is_no_spheroid():
    picture = field(THREE)
    picture[360:385, 330:480] = 0
    assert len(run(picture).spheroids) == 3


def test_a_pale_centre_is_part_of_its_body_unless_that_is_switched_off():
    picture = field([(250, 200, 90)], noise=0.005)
    picture += 0.5 * ndimage.gaussian_filter(
        cv2.circle(np.zeros((400, 500)), (250, 200), 65, 1.0, cv2.FILLED), 1.5
    )
    (whole,) = run(picture).spheroids
    (ring,) = run(picture, fill_holes=False, split_touching=False).spheroids
    assert whole.measurements["n_holes"] == 0
    assert ring.measurements["n_holes"] == 1
    assert whole.measurements["area"] > 1.5 * ring.measurements["area"]


def test_a_body_at_the_border_is_kept_unless_that_is_switched_off():
    scene = field([(0, 200, 50), (300, 200, 50)])
    assert len(run(scene).spheroids) == 2
    assert len(run(scene, keep_border_objects=False).spheroids) == 1


def test_a_field_that_is_mostly_bodies():
    bodies = [(x, y, 34) for y in range(40, 400, 76) for x in range(40, 500, 76)]
    picture = field(bodies)
    grain = ndimage.gaussian_filter(np.random.default_rng(2).normal(0, 0.3, picture.shape), 1)
    result = run(np.where(picture < 0.55, picture + grain, picture))
    assert (result.labels > 0).mean() > 0.5
    assert len(result.spheroids) == len(bodies)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_body_that_fills_most_of_the_image(inverted):
    picture = field([(200, 200, 172)], (400, 400))
    assert diameters(run(1 - picture if inverted else picture)) == pytest.approx([344], rel=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_empty(seed):
    noise = np.random.default_rng(seed).normal(0.5, 0.05, (300, 380))
    assert run(noise).spheroids == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (64, 64), (5, 900)])
def test_an_even_image_has_no_spheroid(dtype, shape):
    assert segment(np.full(shape, 7, dtype)).spheroids == ()


def test_uneven_light_is_empty():
    y, x = np.mgrid[-1:1:300j, -1:1:380j]
    noise = np.random.default_rng(0).normal(0, 0.01, x.shape)
    assert run(0.6 + 0.2 * x - 0.15 * y * y + noise).spheroids == ()


def test_greater_sensitivity_outlines_more():
    areas = [
        sum(b.measurements["area"] for b in run(field(THREE), sensitivity=s).spheroids)
        for s in (-0.5, 0.0, 0.5)
    ]
    assert areas == sorted(areas)


def test_a_few_pixels_that_are_no_numbers_do_no_harm():
    picture = field(THREE).astype(np.float32)
    picture[10:12, 10:14] = np.nan
    picture[0, 0] = np.inf
    assert diameters(segment(picture)) == pytest.approx([110, 96, 80], rel=0.03)


def test_colour_with_and_without_alpha_is_as_grey():
    grey = stored(field(THREE), np.uint8, 255)
    colour = np.repeat(grey[..., None], 3, axis=2)
    alpha = np.dstack([colour, np.arange(grey.size, dtype=np.uint8).reshape(grey.shape)])
    expected = diameters(segment(grey))
    assert diameters(segment(colour)) == pytest.approx(expected, rel=0.005)
    assert diameters(segment(alpha)) == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.int32),
        np.zeros((4, 4), np.float64),
        np.zeros((4,), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_other_pixels_are_refused(pixels):
    with pytest.raises(InvalidRequest):
        segment(pixels)
