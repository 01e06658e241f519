"""Outline policy: around all that hangs together, or around the dense body."""

import numpy as np
import pytest

from core.segmentation import SegmentationParams
from core.segmentation.engines.base import Prediction
from core.segmentation.outlines.postprocess import postprocess, without_rims

SIDE = 200
CORE = SegmentationParams(outline="core")
WHOLE = SegmentationParams(outline="whole")
AUTO = SegmentationParams(outline="auto")


def disc(radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.hypot(rows - 100, columns - 100) < radius


def fringed() -> np.ndarray:
    """A disc of radius 40 with rays out to 80, each 4 px wide."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - 100
    turn = np.arctan2(rows, columns)
    rays = (np.abs(np.sin(4 * turn)) * np.hypot(rows, columns) < 8) & disc(80)
    return disc(40) | rays


@pytest.mark.parametrize("size", [(SIDE, SIDE), (2 * SIDE, 2 * SIDE)])
def test_a_map_of_the_core_is_followed_where_there_is_one(size):
    maps = Prediction(disc(60).astype(np.float32), core=disc(40).astype(np.float32))
    scale = size[0] / SIDE
    whole, core = (postprocess(maps, params, size) for params in (WHOLE, CORE))
    assert np.count_nonzero(whole) == pytest.approx(np.pi * (60 * scale) ** 2, rel=0.03)
    assert np.count_nonzero(core) == pytest.approx(np.pi * (40 * scale) ** 2, rel=0.03)


@pytest.mark.parametrize("size", [(SIDE, SIDE), (2 * SIDE, 2 * SIDE)])
def test_without_one_the_core_is_what_is_thick(size):
    maps = Prediction(fringed().astype(np.float32))
    scale = size[0] / SIDE
    whole, core = (postprocess(maps, params, size) for params in (WHOLE, CORE))
    assert np.count_nonzero(whole) > 1.15 * np.count_nonzero(core)
    assert np.count_nonzero(core) == pytest.approx(np.pi * (40 * scale) ** 2, rel=0.1)


@pytest.mark.parametrize(
    ("core_edge", "core_radius", "radius"),
    [
        pytest.param(1.5, 40, 40, id="a halo around a sharp core does not count"),
        pytest.param(0.9, 40, 60, id="what ends sharply does"),
        pytest.param(0.0, 40, 60, id="cells that grow out of a glowing body do"),
        pytest.param(1.5, 15, 60, id="no body is nearly all halo"),
    ],
)
def test_what_lies_around_a_body_counts_where_people_count_it(core_edge, core_radius, radius):
    inside, core = disc(60).astype(np.float32), disc(core_radius).astype(np.float32)
    labels = postprocess(Prediction(inside, core=core, core_edge=core_edge), AUTO, (SIDE, SIDE))
    assert np.count_nonzero(labels) == pytest.approx(np.pi * radius**2, rel=0.03)
    alone = Prediction(inside)
    assert np.array_equal(postprocess(alone, AUTO, (SIDE, SIDE)), postprocess(alone, WHOLE, (SIDE, SIDE)))


def test_the_core_lies_in_the_whole():
    maps = Prediction(disc(40).astype(np.float32), core=disc(60).astype(np.float32))
    assert np.array_equal(
        postprocess(maps, CORE, (SIDE, SIDE)) > 0, postprocess(maps, WHOLE, (SIDE, SIDE)) > 0
    )


def test_rims_are_taken_from_each_object_by_its_own_thickness():
    labels = np.zeros((60, 120), np.int32)
    labels[20:40, 10:30], labels[28:32, 30:45] = 1, 1
    labels[25:35, 80:90], labels[29:31, 90:100] = 4, 4
    core = without_rims(labels)
    assert set(np.unique(core)) == {0, 1, 4}
    assert not core[:, 34:60].any()
    assert not core[:, 93:].any()
    assert np.count_nonzero(core == 1) >= 350
    assert not without_rims(np.zeros((5, 5), np.int32)).any()


@pytest.mark.parametrize(("peak", "sensitivity", "n"), [(0.96, 0.0, 2), (0.94, 0.0, 1), (0.95, 0.5, 2)])
def test_a_shape_that_is_nowhere_nearly_sure_is_none(peak, sensitivity, n):
    inside = disc(20).astype(np.float32)
    inside[:12, :12] = peak
    params = SegmentationParams(sensitivity=sensitivity, min_diameter_px=0.0, min_relative_area=0.0)
    assert postprocess(Prediction(inside, core=inside), params, (SIDE, SIDE)).max() == n
    assert postprocess(Prediction(inside), params, (SIDE, SIDE)).max() == 2, "others decide for themselves"
