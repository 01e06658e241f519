"""Measurements against slow ones that share no code: scikit-image, brute force, ImageJ step by step."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import perimeter_crofton, regionprops

from core.segmentation.measurement.measure import measure
from tests.segmentation.shapes import label_images


def pairs(labels, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 65536, labels.shape).astype(np.uint16)
    return zip(measure(labels, pixels), regionprops(labels, pixels), strict=True)


@given(label_images())
def test_scikit_image_agrees(labels):
    for values, region in pairs(labels):
        assert values["area"] == region.area
        assert values["perimeter"] == pytest.approx(region.perimeter_crofton)
        assert values["solidity"] == pytest.approx(region.solidity)
        assert values["extent"] == pytest.approx(region.extent)
        assert values["n_holes"] == 1 - region.euler_number
        assert values["centroid_y"] - 0.5 == pytest.approx(region.centroid[0])
        assert values["centroid_x"] - 0.5 == pytest.approx(region.centroid[1])
        assert values["intensity_mean"] == pytest.approx(region.intensity_mean)
        assert values["intensity_sd"] == pytest.approx(region.intensity_std, abs=1e-6)


@given(label_images())
def test_scikit_image_agrees_on_the_ellipse(labels):
    for values, region in pairs(labels):
        major, minor = region.axis_major_length, region.axis_minor_length
        if values["eccentricity"] is not None:
            assert values["eccentricity"] == pytest.approx(region.eccentricity, abs=1e-6)
            assert values["roundness"] == pytest.approx(4 * region.area / (math.pi * major**2))
        if values["aspect_ratio"] is not None:
            assert values["aspect_ratio"] == pytest.approx(major / minor, rel=1e-6)


@given(label_images())
def test_convexity_is_the_crofton_perimeter_of_the_convex_image(labels):
    for values, region in pairs(labels):
        hull = perimeter_crofton(region.image_convex)
        assert values["convexity"] == pytest.approx(hull / region.perimeter_crofton)


def brute_ferets(mask):
    """Widths of the pixels' corners: all pairs for the greatest, all directions of pairs for the least."""
    y, x = np.nonzero(mask)
    corners = np.unique(np.concatenate([np.stack([x + i, y + j], 1) for i in (0, 1) for j in (0, 1)]), axis=0)
    apart = (corners[:, None] - corners[None]).reshape(-1, 2).astype(float)
    length = np.hypot(apart[:, 0], apart[:, 1])
    directions = np.unique(apart[length > 0] / length[length > 0, None], axis=0)
    across = corners @ np.stack([-directions[:, 1], directions[:, 0]])
    return length.max(), (across.max(axis=0) - across.min(axis=0)).min()


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 7), st.floats(0.1, 1))
def test_ferets_are_the_caliper_widths(seed, rows, columns, share):
    mask = np.random.default_rng(seed).random((rows, columns)) <= share
    mask[0, 0] = True
    (values,) = measure(mask.astype(np.int32), np.zeros(mask.shape, np.uint8))
    greatest, least = brute_ferets(mask)
    assert values["feret_max"] == pytest.approx(greatest)
    assert values["feret_min"] == pytest.approx(least)


STEPS = ((1, 0), (0, -1), (-1, 0), (0, 1))  # ImageJ's walking directions: right, up, left, down
AHEAD = ((0, 0), (0, -1), (-1, -1), (-1, 0))  # the pixel in a direction from a vertex


def imagej_outline(mask):
    """Wand.traceEdge, 8-connected, from the seed that the Particle Analyzer meets first: corner points."""
    padded = np.pad(mask, 1)

    def inside(x, y, direction=0):
        dx, dy = AHEAD[direction % 4]
        return padded[y + dy + 1, x + dx + 1] if 0 <= y + dy + 1 < len(padded) else False

    y = int(np.argmax(mask.any(axis=1)))
    x = int(np.argmax(mask[y]))
    while inside(x, y):
        x += 1
    start = x, y + 1
    x, y = start
    direction, points = 3, []
    while True:
        new = direction + 1
        while new >= direction and not inside(x, y, new):
            new -= 1
        if new != direction:
            points.append((x, y))
        x, y = x + STEPS[new % 4][0], y + STEPS[new % 4][1]
        direction = new
        if (x, y) == start and direction % 4 == 3:
            return points


def imagej_perimeter(points):
    """PolygonRoi.getTracedPerimeter."""
    total, corners, corner = 0, 0, False
    sides = [abs(x - a) + abs(y - b) for (a, b), (x, y) in zip([points[-1], *points], points, strict=False)]
    for side in sides:
        total += side
        corner = side > 1 or not corner
        corners += corner
    return total - corners * (2 - math.sqrt(2))


@given(label_images())
def test_imagej_agrees(labels):
    for number, values in enumerate(measure(labels, np.zeros(labels.shape, np.uint8)), start=1):
        perimeter = imagej_perimeter(imagej_outline(labels == number))
        expected = min(1, 4 * math.pi * values["area"] / perimeter**2)
        assert values["circularity_imagej"] == pytest.approx(expected)
