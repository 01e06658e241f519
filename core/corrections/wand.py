"""The wand: a click makes, grows, trims or splits an outline on the probability map that the engine left.

A click grows an outline to what is connected with it on the map and at least about as probable; a click to
take away, and two clicks to split, part an object at the neck between two points.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.corrections.map_parts import Pixel, connected_box, enclosing_box, enlarged, probability_at
from core.corrections.operations import NewRegion, Objects
from core.corrections.regions import Box, Mask, Region, parts_of
from core.errors import InvalidRequest
from core.segmentation.engines.base import Map

Point = tuple[float, float]
LEVEL = 0.5  # of a clear body: as the engine's own outlines
SHARE = 0.8  # of the probability at a click in a faint body
LEAST = 0.05  # below, the map says nothing


def grow(
    objects: Objects, inside: Map, point: Point, shape: tuple[int, int], number: int | None
) -> list[NewRegion]:
    """Grow an object, or make a new one, to what the map shows around a point.

    Args:
        inside: float32 (Y, X) at the engine's working size, 0..1.
        shape: (Y, X) of the image.

    Raises:
        InvalidRequest: the point is outside, on another object, or where the map shows nothing.
    """
    pixel = _pixel(point, shape)
    own = None if number is None else objects[number]
    others = [region for other, region in objects.items() if other != number]
    if any(_holds(region, *pixel) for region in others):
        raise InvalidRequest("There is another outline at this point.")
    probability = probability_at(inside, pixel, shape)
    if probability < LEAST:
        raise InvalidRequest("Nothing was seen at this point. Draw the outline, or paint it with the brush.")
    level = min(LEVEL, probability * SHARE)
    if own is not None and _holds(own, *pixel):  # it is in already: reach further out
        level = max(LEAST, min(level, _rim(enlarged(inside, own.box, shape), own.mask)) * SHARE)
    box = connected_box(inside, level, pixel, shape)
    box = box if own is None else enclosing_box(box, own.box)
    region = _grown(enlarged(inside, box, shape) >= level, pixel, box, own, others)
    held = [region] if number is not None else [part for part in parts_of(region) if _holds(part, *pixel)]
    return [NewRegion(number, held[0])]


def _grown(likely: Mask, pixel: Pixel, box: Box, own: Region | None, others: list[Region]) -> Region:
    """An object and what connects with a pixel, holes filled, without pixels of others.

    ``likely``: which pixels of a box are probable enough.
    """
    taken = np.zeros(likely.shape, np.bool_)
    for region in others:
        if _overlap(region.box, box):
            taken |= region.within(box)
    seed = (pixel[1] - box[1].start, pixel[0] - box[0].start)  # (x, y), as OpenCV takes it
    free = (likely & ~taken).astype(np.uint8)
    free[seed[::-1]] = 1
    cv2.floodFill(free, None, seed, _REACHED, flags=4)
    grown = free == _REACHED
    if own is not None:
        grown |= own.within(box)
    whole = Region.of(_without_holes(grown) & ~taken, box[1].start, box[0].start)
    assert whole is not None, "the point itself is in"
    return whole


_REACHED = 2  # by the flood, in a mask of 0 and 1


def _without_holes(mask: Mask) -> Mask:
    """A mask with its holes filled: background that does not connect with the outside, four ways."""
    framed = np.pad(mask.view(np.uint8), 1)
    cv2.floodFill(framed, None, (0, 0), _REACHED, flags=4)
    return np.asarray(framed[1:-1, 1:-1] != _REACHED)


def _overlap(one: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def take_away(objects: Objects, point: Point, shape: tuple[int, int]) -> list[NewRegion]:
    """Take from the object at a point the part that bulges out there.

    Raises:
        InvalidRequest: there is no object at the point.
    """
    number, region = _object_at(objects, point, shape)
    row, column = _pixel(point, shape)
    depth = _depth(region.mask, 1)[1:-1, 1:-1]
    up, across = np.unravel_index(int(depth.argmax()), depth.shape)
    centre, place = (int(up), int(across)), (row - region.y, column - region.x)
    if place == centre:
        return [NewRegion(number, None)]
    parted = _parted(region, centre, place)
    kept = Region.of(parted == 1, region.x, region.y)
    return [NewRegion(number, None if kept is None else parts_of(kept)[0])]


def split(objects: Objects, one: Point, other: Point, shape: tuple[int, int]) -> list[NewRegion]:
    """Split an object between two points in it; the larger part keeps the number.

    Raises:
        InvalidRequest: the points are not two pixels of one object.
    """
    number, region = _object_at(objects, one, shape)
    if _object_at(objects, other, shape)[0] != number:
        raise InvalidRequest("Click twice in the same outline to split it.")
    places = [
        (row - region.y, column - region.x) for row, column in (_pixel(one, shape), _pixel(other, shape))
    ]
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


def _depth(mask: Mask, room: int) -> Map:
    """Distance of every pixel to the nearest one outside, float32, with a frame of ``room`` pixels around."""
    framed = np.pad(mask.view(np.uint8), room)
    depth: Map = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
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


def _rim(full: Map, own: Mask) -> float:
    """The median probability along the edge of an object."""
    rim = own & ~ndimage.binary_erosion(own)
    return float(np.median(full[rim]))


def _object_at(objects: Objects, point: Point, shape: tuple[int, int]) -> tuple[int, Region]:
    row, column = _pixel(point, shape)
    for number, region in objects.items():
        if _holds(region, row, column):
            return number, region
    raise InvalidRequest("There is no outline at this point.")


def _holds(region: Region, row: int, column: int) -> bool:
    y, x = row - region.y, column - region.x
    return 0 <= y < region.height and 0 <= x < region.width and bool(region.mask[y, x])


def _pixel(point: Point, shape: tuple[int, int]) -> Pixel:
    x, y = point
    if not (0 <= x < shape[1] and 0 <= y < shape[0]):
        raise InvalidRequest("This point is not within the image.")
    return int(y), int(x)
