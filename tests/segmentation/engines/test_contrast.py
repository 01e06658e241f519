"""What stands out from the background, and which way round bodies are."""

import numpy as np
import pytest

from core.segmentation.engines.contrast import (
    edge_ratio,
    flatten,
    optical_density,
    overlooked_bodies,
    readings,
    views,
)
from tests.segmentation.shapes import field

BODIES = [(110, 120, 40), (330, 130, 55), (210, 300, 48)]


def picture(noise: float = 0.02) -> np.ndarray:
    """About -1..1, dark bodies on a bright field."""
    return (2 * field(BODIES, noise=noise) - 1).astype(np.float32)


@pytest.mark.slow
def test_an_inverted_image_is_the_same_to_the_network():
    image = picture()
    assert views(image).shape == (3, *image.shape)
    assert views(image).dtype == np.float32
    assert views(-image) == pytest.approx(views(image), abs=1e-4)


def test_bodies_are_dark_in_the_first_view_and_stand_out_in_the_second():
    for image in (picture(), -picture()):
        seen, contrast, _ = views(image)
        assert seen[120, 110] < seen[20, 20]
        assert contrast[120, 110] > 0.5 > abs(contrast[20, 20])


def test_the_wanted_polarity_wins_over_what_the_image_suggests():
    image = picture()
    assert np.array_equal(views(image, "dark"), views(image))
    assert views(image, "bright")[0] == pytest.approx(-image)


def test_an_empty_field_has_no_contrast():
    seen, contrast, _ = views(np.zeros((80, 120), np.float32))
    assert not seen.any()
    assert not contrast.any()
    noise = np.random.default_rng(0).normal(0, 0.05, (256, 256)).astype(np.float32)
    assert np.mean(views(noise)[1] > 0.5) < 0.01


def test_a_body_smoother_than_the_field_is_not_taken_for_the_background():
    rows, columns = np.mgrid[:200, :200]
    image = np.where(np.hypot(rows - 100, columns - 100) < 50, 0.6, -0.5 - columns / 800).astype(np.float32)
    seen, contrast, _ = views(image)
    assert seen[100, 100] < seen[10, 10]
    assert contrast[100, 100] > 0.5 > abs(contrast[10, 10])


def test_a_slanted_light_is_taken_away():
    slope = np.linspace(0, 0.4, picture().shape[1], dtype=np.float32)
    image = (picture() + 1) / 2
    flat = flatten(image + slope)
    assert flat.dark
    background = flat.darker[300:, 400:]
    assert abs(float(np.median(background))) < 0.02


def in_bright_grain() -> np.ndarray:
    """About -1..1, a dark body in grain that is brighter than the field."""
    rows, columns = np.mgrid[:256, :256]
    away = np.hypot(rows - 128, columns - 128)
    grain = np.random.default_rng(1).uniform(0, 1.5, (256, 256)) * np.exp(-np.maximum(away - 30, 0) / 30)
    return np.where(away < 30, -0.5, grain - 0.2).astype(np.float32)


def test_a_clear_image_is_read_in_one_way() -> None:
    for image in (picture(), -picture()):
        (seen,) = readings(image)
        assert np.array_equal(seen.views, views(image))
        assert seen.dark == (image[120, 110] < image[20, 20])


def test_a_dark_body_in_bright_grain_is_read_both_ways_dark_bodies_first() -> None:
    image = in_bright_grain()
    first, second = readings(image)
    assert np.array_equal(first.views[0], image)
    assert np.array_equal(second.views[0], -image)
    assert (first.dark, second.dark) == (True, False)
    (seen,) = readings(image, "bright")
    assert np.array_equal(seen.views[0], -image)


def test_an_image_whose_edge_is_no_background_is_read_both_ways() -> None:
    rows, columns = np.mgrid[:200, :200]
    # a smooth body over most of the field, and a corner of it free
    image = np.where(np.hypot(rows - 90, columns - 90) < 99, -0.6, 0.5).astype(np.float32)
    image += np.random.default_rng(0).normal(0, 0.01, image.shape).astype(np.float32)
    assert any(seen.dark for seen in readings(image))


def test_what_stands_out_as_a_body_would_and_is_not_inside_is_overlooked() -> None:
    rows, columns = np.mgrid[:256, :256]
    body = np.hypot(rows - 100, columns - 120) < 30
    contrast = np.where(body | (np.abs(columns - 220) < 3), 0.9, 0.0).astype(np.float32)
    nothing = np.zeros_like(contrast)
    lost = overlooked_bodies(contrast, nothing)
    assert (lost & body).sum() > 0.9 * body.sum()
    assert not lost[:, 210:].any()
    assert not overlooked_bodies(contrast, body.astype(np.float32)).any()
    assert not overlooked_bodies(nothing, nothing).any()


@pytest.mark.parametrize(("halo", "is_core"), [(0.3, True), (1.5, False)])
def test_the_stronger_of_two_edges_is_told(halo, is_core):
    y, x = np.mgrid[:120, :120]
    radius = np.hypot(y - 60, x - 60)
    core, whole = (radius <= 20).astype(np.float32), (radius <= 45).astype(np.float32)
    view = 1 - halo * whole - core
    assert (edge_ratio((view,), core, whole) > 1.1) is is_core
    assert edge_ratio((view,), np.zeros_like(core), whole) == 0
    assert edge_ratio((view,), core, np.zeros_like(core)) == 0


def test_a_black_core_in_nearly_black_matter_that_fades_has_the_stronger_edge_in_optical_density():
    y, x = np.mgrid[:200, :200].astype(np.float32)
    radius = np.hypot(y - 100, x - 100)
    halo = 2.2 / (1 + np.exp((radius - 70) / 8))
    light = np.exp(-np.where(radius <= 40, 3.0, halo)).astype(np.float32)
    core, whole = (radius <= 40).astype(np.float32), (radius <= 70).astype(np.float32)
    seen = 2 * light - 1
    assert edge_ratio((seen,), core, whole) < 1
    assert edge_ratio((seen, optical_density(seen)), core, whole) > 1.02


def test_optical_density_tells_nearly_black_from_black():
    light = np.array([[1.0, 0.5, 0.06, 0.02, 0.0]], np.float32)
    density = optical_density(2 * light - 1)[0]
    assert density[0] == pytest.approx(-1)
    assert density[-1] == pytest.approx(1)
    assert (np.diff(density) > 0.25).all()
    assert np.isfinite(optical_density(np.array([[-1.5, 1.5]], np.float32))).all()
