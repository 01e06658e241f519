"""Tools as functions of regions: what a stroke, a line or a choice makes of objects.

Gestures as a browser could send them, for tests; browsers paint by rules of their own (editor_strokes.js).
Points are (x, y) in pixels, where (0.5, 0.5) is the first pixel's centre. No tool takes pixels from an object
that it is not given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from scipy import ndimage

from core.corrections.operations import NewRegion, Objects
from core.corrections.regions import Mask, Region, labels_of, parts_of
from core.errors import InvalidRequest
from core.models import Contour
from core.segmentation.outlines.contours import rasterise

Point = tuple[float, float]
Shape = tuple[int, int]


def brush(
    objects: Objects, number: int | None, points: Sequence[Point], radius_px: float, shape: Shape
) -> list[NewRegion]:
    """Paint along a line into an object, or into a new one; pixels of others stay theirs."""
    painted = _stroke(points, radius_px, shape) & ~_others(objects, number, shape)
    if number is not None:
        painted |= _mask(objects[number], shape)
    return [NewRegion(number, Region.of(painted))] if painted.any() else []


def erase(
    objects: Objects, numbers: Iterable[int], points: Sequence[Point], radius_px: float, shape: Shape
) -> list[NewRegion]:
    """Take the pixels along a line from objects."""
    stroke = _stroke(points, radius_px, shape)
    return [
        NewRegion(number, Region.of(_mask(objects[number], shape) & ~stroke))
        for number in numbers
        if (_mask(objects[number], shape) & stroke).any()
    ]


def lasso(objects: Objects, ring: Sequence[Point], shape: Shape) -> list[NewRegion]:
    """Make a new object of what a closed line encloses."""
    if len(ring) < 3:
        raise InvalidRequest("An outline needs three points at least.")
    mask = rasterise([Contour(tuple(ring))], shape) > 0
    region = Region.of(mask & ~_others(objects, None, shape))
    return [] if region is None else [NewRegion(None, part) for part in parts_of(region)[:1]]


def cut(objects: Objects, numbers: Iterable[int], points: Sequence[Point], shape: Shape) -> list[NewRegion]:
    """Cut objects along a line into any number of parts; the pixels of the line go to the nearest part.

    The largest part keeps the number. An object that the line does not part stays as it is.
    """
    line = _stroke(points, 0.5, shape)
    cut_up: list[NewRegion] = []
    for number in numbers:
        region = objects[number]
        mask, crossed = region.mask, line[region.box]
        # four neighbours: a line that is one pixel wide must not leak at its corners
        pieces, count = ndimage.label(mask & ~crossed)
        if count < 2:
            continue
        nearest = ndimage.distance_transform_edt(pieces == 0, return_distances=False, return_indices=True)
        whole = np.where(mask, pieces[tuple(nearest)], 0)
        parts = [Region.of(whole == piece, region.x, region.y) for piece in range(1, count + 1)]
        ordered = sorted((part for part in parts if part is not None), key=lambda part: -part.area)
        cut_up.append(NewRegion(number, ordered[0]))
        cut_up += [NewRegion(None, part, (number,)) for part in ordered[1:]]
    return cut_up


def merge(objects: Objects, numbers: Sequence[int], shape: Shape) -> list[NewRegion]:
    """Make one object of several, under the number of the first; gaps between them are bridged.

    Raises:
        InvalidRequest: fewer than two, or they are too far apart to become one.
    """
    if len(set(numbers)) < 2:
        raise InvalidRequest("Choose two outlines or more to merge.")
    union = labels_of({number: objects[number] for number in numbers}, shape) > 0
    blocked = labels_of({n: region for n, region in objects.items() if n not in numbers}, shape) > 0
    if ndimage.label(union, np.ones((3, 3)))[1] > 1:
        union = _bridged(union) & ~blocked
    first, *rest = numbers
    merged = Region.of(union)
    assert merged is not None, "objects have pixels"
    if len(parts_of(merged)) > 1:
        raise InvalidRequest(
            "These outlines are too far apart to be one. Bring them together with the brush."
        )
    return [NewRegion(first, merged, tuple(numbers)), *(NewRegion(number, None) for number in rest)]


def delete(numbers: Iterable[int]) -> list[NewRegion]:
    """Take objects away."""
    return [NewRegion(number, None) for number in numbers]


def fill(objects: Objects, numbers: Iterable[int]) -> list[NewRegion]:
    """Fill the holes of objects, but for pixels of objects that lie in them."""
    filled = []
    for number in numbers:
        region = objects[number]
        mask = ndimage.binary_fill_holes(region.mask)
        for other, there in objects.items():
            if other != number:
                mask &= ~there.within(region.box)
        filled.append(NewRegion(number, Region.of(mask, region.x, region.y)))
    return filled


def bend(objects: Objects, numbers: Iterable[int], point: Point, shape: Shape) -> list[NewRegion]:
    """Pull outlines towards a point: what lies between them and it is added, as far as nobody has it."""
    bent = []
    for number in numbers:
        mask = _mask(objects[number], shape)
        rows, columns = np.nonzero(mask)
        nearest = int(np.hypot(columns + 0.5 - point[0], rows + 0.5 - point[1]).argmin())
        start = (float(columns[nearest]) + 0.5, float(rows[nearest]) + 0.5)
        pulled = _stroke([start, point], 3.0, shape) & ~_others(objects, number, shape)
        bent.append(NewRegion(number, Region.of(mask | pulled)))
    return bent


BRIDGE_PX = 25  # widest gap between objects that are merged


def _bridged(union: Mask) -> Mask:
    """Close the gaps of at most BRIDGE_PX between the parts of a mask, with as little as it takes."""
    framed = np.pad(union.view(np.uint8), BRIDGE_PX)
    for size in range(3, BRIDGE_PX + 1, 2):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disc)
        if ndimage.label(closed, np.ones((3, 3)))[1] == 1:
            break
    inner = closed[BRIDGE_PX:-BRIDGE_PX, BRIDGE_PX:-BRIDGE_PX]
    return np.asarray(inner, np.bool_) | union


def _stroke(points: Sequence[Point], radius_px: float, shape: Shape) -> Mask:
    """Pixels within ``radius_px`` of a line; of a thin line at least those that it passes."""
    if not points:
        raise InvalidRequest("A line needs a point at least.")
    drawn = np.zeros(shape, np.uint8)
    fixed = [(round((x - 0.5) * 16), round((y - 0.5) * 16)) for x, y in points]
    width = max(1, round(2 * radius_px))
    for one, other in pairwise(fixed):
        cv2.line(drawn, one, other, 1, width, cv2.LINE_8, 4)
    for point in fixed:
        cv2.circle(drawn, point, round(radius_px * 16), 1, -1, cv2.LINE_8, 4)
    return drawn.astype(np.bool_)


def _mask(region: Region, shape: Shape) -> Mask:
    mask = np.zeros(shape, np.bool_)
    mask[region.box] = region.mask
    return mask


def _others(objects: Objects, number: int | None, shape: Shape) -> Mask:
    return labels_of({other: region for other, region in objects.items() if other != number}, shape) > 0
