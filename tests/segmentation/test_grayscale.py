"""One value a pixel: brightness, one channel, or the brightest of them."""

import numpy as np
import pytest

from core.errors import InvalidRequest
from core.segmentation import SegmentationParams
from core.segmentation.grayscale import CHANNELS, grey
from tests.engines import segment
from tests.segmentation.shapes import field, stored

COLOUR = np.random.default_rng(0).integers(0, 60_000, (30, 20, 4), np.uint16)


@pytest.mark.parametrize(("channel", "place"), [("red", 0), ("green", 1), ("blue", 2)])
def test_one_channel_is_taken_as_it_is(channel, place):
    taken = grey(COLOUR, channel)
    assert taken.dtype == np.uint16
    assert np.array_equal(taken, COLOUR[:, :, place])


def test_the_brightest_leaves_alpha_out():
    taken = grey(COLOUR, "brightest")
    assert taken.dtype == np.uint16
    assert np.array_equal(taken, COLOUR[:, :, :3].max(axis=2))


@pytest.mark.parametrize("channel", CHANNELS)
def test_grey_pixels_come_back_whatever_the_channel(channel):
    assert grey(COLOUR[:, :, 0], channel) is not None
    assert np.shares_memory(grey(COLOUR[:, :, 0], channel), COLOUR)


@pytest.mark.parametrize(
    "pixels", [np.zeros((3, 3, 2), np.uint8), np.zeros((3, 3), np.int64), np.zeros(0, np.uint8)]
)
def test_other_pixels_are_refused(pixels):
    with pytest.raises(InvalidRequest):
        grey(pixels, "brightest")


def test_a_stain_in_one_channel_is_found_and_measured_there():
    stain = stored(1 - field([(250, 200, 60)], noise=0.01), np.uint8, 255)
    other = stored(1 - field([(80, 80, 30)], noise=0.01), np.uint8, 255)
    image = np.dstack([other, stain, np.zeros_like(stain)])
    spheroids = {
        channel: segment(image, SegmentationParams(channel=channel), "classical").spheroids
        for channel in ("green", "red", "brightest")
    }
    assert [len(spheroids[channel]) for channel in ("green", "red", "brightest")] == [1, 1, 2]
    (spheroid,) = spheroids["green"]
    assert spheroid.measurements["equivalent_diameter"] == pytest.approx(120, rel=0.03)
    inside = stain[190:210, 240:260].mean()
    assert spheroid.measurements["intensity_mean"] == pytest.approx(inside, rel=0.05)
