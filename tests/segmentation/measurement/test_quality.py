"""The blur of an edge is what the image was blurred by; specks are counted outside the spheroids alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.models import ImageQuality
from core.segmentation.measurement.quality import edge_blur, quality, specks
from core.segmentation.outlines.boundaries import find

SIDE = 256


def scene(radius: float, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc on a bright field, and its label image."""
    rows, columns = np.indices((side, side))
    inside = np.hypot(rows - side / 2, columns - side / 2) <= radius
    return np.where(inside, 60.0, 200.0).astype(np.float32), inside.astype(np.int32)


@pytest.mark.parametrize("sigma", [2.0, 4.0, 7.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_blur_of_an_edge_is_what_it_was_blurred_by(sigma: float, sign: int) -> None:
    pixels, labels = scene(60)
    blurred = 250 + sign * cv2.GaussianBlur(pixels, (0, 0), sigma)
    assert edge_blur(labels, find(labels)[0], blurred) == pytest.approx(100 * sigma / 120, rel=0.15)


def test_a_large_spheroid_is_as_blurred_as_a_small_one_that_looks_the_same() -> None:
    small, large = scene(60), scene(480, 2048)
    one = edge_blur(small[1], find(small[1])[0], cv2.GaussianBlur(small[0], (0, 0), 4))
    other = edge_blur(large[1], find(large[1])[0], cv2.GaussianBlur(large[0], (0, 0), 32))
    assert one is not None
    assert other == pytest.approx(one, rel=0.15)


def test_an_edge_without_contrast_has_no_blur() -> None:
    pixels, labels = scene(60)
    assert edge_blur(labels, find(labels)[0], np.full_like(pixels, 7)) is None
    everywhere = np.ones_like(labels)
    assert edge_blur(everywhere, find(everywhere)[0], pixels) is None, "nothing lies outside"
    assert quality(np.zeros_like(labels), [], pixels).edge_blur is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_specks_are_counted_outside_the_spheroids(dtype: type) -> None:
    pixels, labels = scene(40)
    for x, y in [(20, 20), (20, 200), (220, 60), (128, 128)]:
        cv2.circle(pixels, (x, y), 2, 90.0, -1)
    found = quality(labels, find(labels), pixels.astype(dtype))
    assert isinstance(found, ImageQuality)
    assert found.specks == 3
    bright = (255 - pixels).astype(dtype)
    assert specks(labels, bright) == 3, "bright on black, as in fluorescence"


def test_a_tiny_image_can_be_measured() -> None:
    labels = np.zeros((3, 5), np.int32)
    labels[1, 2] = 1
    found = quality(labels, find(labels), np.arange(15, dtype=np.uint8).reshape(3, 5))
    assert found.specks >= 0
