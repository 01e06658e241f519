"""Splitting an outline between two points in it, at its neck where it has one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.corrections.operations import NewRegion, Objects
from core.corrections.regions import Mask, Region, object_at, pixel_at
from core.errors import InvalidRequest

Point = tuple[float, float]  # (x, y)
Pixel = tuple[int, int]  # (row, column)
Distances = NDArray[np.float32]


def split(objects: Objects, one: Point, other: Point, shape: tuple[int, int]) -> list[NewRegion]:
    """Split an object between two points in it; the larger part keeps the number.

    Raises:
        InvalidRequest: the points are not two pixels of one object.
    """
    pixels = [pixel_at(point, shape) for point in (one, other)]
    number, other_number = (object_at(objects, *pixel) for pixel in pixels)
    if number is None or other_number is None:
        raise InvalidRequest("There is no outline at this point.")
    if number != other_number:
        raise InvalidRequest("Click twice in the same outline to split it.")
    region = objects[number]
    places = [(row - region.y, column - region.x) for row, column in pixels]
    if places[0] == places[1]:
        raise InvalidRequest("Click at two different points to split an outline.")
    parted = _parted(region, *places)
    parts = [Region.of(parted == place, region.x, region.y) for place in (1, 2)]
    larger, smaller = sorted((part for part in parts if part is not None), key=lambda part: -part.area)
    return [NewRegion(number, larger), NewRegion(None, smaller, (number,))]


def _parted(region: Region, one: Pixel, other: Pixel) -> NDArray[np.int64]:
    """Numbers 1, 2 of the two bodies of an object that two places lie in, 0 outside.

    They part where the neck between them is narrowest; where there is none, half way between the places.
    """
    mask = region.mask
    depth = cv2.GaussianBlur(_depth(mask, 2), (0, 0), 1.0)
    depth = np.where(mask, depth[2:-2, 2:-2], 0)
    peaks = [_peak(depth, place) for place in (one, other)]
    low, high = 0.0, float(min(depth[peak] for peak in peaks))
    if _numbered(depth, high, peaks) is None:
        markers = np.zeros(mask.shape, np.int64)
        markers[one], markers[other] = 1, 2
    else:
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if _numbered(depth, middle, peaks) is not None else (middle, high)
        basins = _numbered(depth, high, peaks)
        assert basins is not None, "the level at which they are apart is kept"
        markers = basins
    nearest = ndimage.distance_transform_edt(markers == 0, return_distances=False, return_indices=True)
    return np.where(mask, markers[tuple(nearest)], 0)


_HALVINGS = 10


def _depth(mask: Mask, room: int) -> Distances:
    """Distance of every pixel to the nearest one outside, float32, with a frame of ``room`` pixels around."""
    framed = np.pad(mask.view(np.uint8), room)
    depth: Distances = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return depth


def _peak(depth: NDArray[Any], place: Pixel) -> Pixel:
    """The nearest peak of a map up the steepest way from a place."""
    while True:
        row, column = place
        top, left = max(0, row - 1), max(0, column - 1)
        around = depth[top : row + 2, left : column + 2]
        up, across = np.unravel_index(int(around.argmax()), around.shape)
        higher = (top + int(up), left + int(across))
        if depth[higher] <= depth[place]:
            return place
        place = higher


def _numbered(depth: NDArray[Any], level: float, peaks: list[Pixel]) -> NDArray[np.int64] | None:
    """What connects with the first or the second peak at this depth, as 1 and 2; None if with both."""
    _, parts = cv2.connectedComponents((depth >= level).astype(np.uint8), connectivity=8)
    one, other = (parts[peak] for peak in peaks)
    if one == other:
        return None
    return np.where(parts == one, 1, np.where(parts == other, 2, 0))
