"""Regions hold a label image exactly, and refuse what cannot be one."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from core.corrections.regions import Region, iou, labels_of, mean_iou, overlap, parts_of, regions_of
from core.errors import InvalidRequest
from tests.corrections.scenes import random_labels, square


def test_a_thousand_label_images_with_holes_come_back_identical() -> None:
    rng = np.random.default_rng(1)
    with_holes = 0
    for _ in range(1000):
        labels = random_labels(rng)
        sent = json.dumps({number: region.to_json() for number, region in regions_of(labels).items()})
        received = {
            int(number): Region.checked(value["box"], value["runs"], labels.shape)
            for number, value in json.loads(sent).items()
        }
        assert all(received.values())
        assert np.array_equal(labels_of(received, labels.shape), labels)  # type: ignore[arg-type]
        with_holes += any(len(region.runs) > 2 * region.height for region in received.values() if region)
    assert with_holes > 300


def test_overlap_and_iou_are_those_of_the_pixels() -> None:
    one, other = square(0, 0, 4), square(2, 2, 4)
    assert overlap(one, other) == 4
    assert iou(one, other) == 4 / 28
    assert overlap(one, square(4, 0, 4)) == 0
    assert mean_iou({1: one, 2: other}, {1: one}) == 0.5
    assert mean_iou({}, {}) == 1.0


def test_parts_are_what_connects_at_corners_the_largest_first() -> None:
    mask = np.zeros((5, 9), np.bool_)
    mask[0, 0] = mask[1, 1] = True
    mask[3:, 4:] = True
    region = Region.of(mask)
    assert region is not None
    assert [part.area for part in parts_of(region)] == [10, 2]


def test_parts_and_overlaps_by_runs_are_those_of_the_pixels() -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        height, width = (int(side) for side in rng.integers(1, 14, 2))
        masks = rng.random((2, height, width)) < rng.uniform(0.1, 0.9)
        one, other = (Region.of(mask) for mask in masks)
        if one is None or other is None:
            continue
        assert Region.checked([0, 0, width, height], _as_runs(masks[0], rng), (height, width)) == one
        assert overlap(one, other) == overlap(other, one) == (masks[0] & masks[1]).sum()
        numbers, count = ndimage.label(masks[0], np.ones((3, 3)))
        expected = [Region.of(numbers == number) for number in range(1, count + 1)]
        assert sorted(map(str, parts_of(one))) == sorted(map(str, expected))
        areas = [part.area for part in parts_of(one)]
        assert areas == sorted(areas, reverse=True)


def _as_runs(mask: NDArray[np.bool_], rng: np.random.Generator) -> list[int]:
    """Runs of a mask, some of them in two pieces."""
    flat = np.concatenate(([False], mask.ravel(), [False]))
    runs = []
    for start, end in np.flatnonzero(flat[1:] != flat[:-1]).reshape(-1, 2).tolist():
        middle = int(rng.integers(start, end))
        pieces = [(start, middle), (middle, end)] if start < middle else [(start, end)]
        runs += [value for first, last in pieces for value in (first, last - first)]
    return runs


def test_pixels_in_two_corners_cost_what_two_pixels_cost() -> None:
    side = 100_000  # its mask would take 10 GB
    corners = [0, 1, side * side - 1, 1]
    tracemalloc.start()
    region = Region.checked([0, 0, side, side], corners, (side, side))
    assert region is not None
    assert [(part.x, part.y, part.area) for part in parts_of(region)] == [(0, 0, 1), (side - 1, side - 1, 1)]
    assert overlap(region, square(0, 0, 5)) == 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize(
    ("box", "runs"),
    [
        ([0, 0, 4], [0, 4]),
        ([-1, 0, 4, 4], [0, 4]),
        ([0, 0, 4, 0], [0, 4]),
        ([46, 0, 4, 4], [0, 4]),
        ([0, 38, 4, 4], [0, 4]),
        ([0, 0, 4, 4], [0, 4, 8]),
        ([0, 0, 4, 4], [0, 0]),
        ([0, 0, 4, 4], [0, -1]),
        ([0, 0, 4, 4], [-1, 2]),
        ([0, 0, 4, 4], [4, 4, 0, 4]),
        ([0, 0, 4, 4], [0, 4, 3, 4]),
        ([0, 0, 4, 4], [0, 17]),
        ([0, 0, 4, 4], [2**60, 2**60]),
        ([0, 0, 4, 4], [0, 2**63 - 1]),
        ([0, 0, 4, 4], [0, 2**70]),
        ([2**70, 0, 4, 4], [0, 4]),
    ],
)
def test_what_is_no_region_of_the_image_is_refused(box: list[int], runs: list[int]) -> None:
    with pytest.raises(InvalidRequest):
        Region.checked(box, runs, (40, 48))


def test_a_loose_box_becomes_tight() -> None:
    assert Region.checked([0, 0, 10, 10], [11, 2, 21, 2], (40, 48)) == square(1, 1, 2)
    assert Region.checked([0, 0, 10, 10], [], (40, 48)) is None
