"""What a click makes of outlines: a network outlines what is clicked, or grows or trims an outline there.

The network (``core.segmentation.engines.click_network``) sees a window around click and outline. Only what is
connected with the click is taken from its answer, so that nobody loses what was right elsewhere. A click
adds or takes away, never both.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.corrections.operations import NewRegion, Objects
from core.corrections.regions import Box, Mask, Region, object_at, overlap, parts_of, pixel_at
from core.errors import InvalidRequest
from core.segmentation.engines.base import Map
from core.segmentation.engines.click_network import SIDE, ClickModel, Window
from core.segmentation.grayscale import Pixels

Point = tuple[float, float]  # (x, y)
Pixel = tuple[int, int]  # (row, column)
OUTLINE_SHARE, TYPICAL_SHARE = 0.55, 0.4  # of a window's side: an outline in it, a spheroid as others are
FIRST_SHARE = 0.5  # of the image's shorter side: the window where nothing says how large spheroids are
TOO_LARGE, TOO_SMALL = 0.85, 0.15  # of a window's side: an answer that is looked at in another one
MAX_LOOKS = 3
# Half of the gap across which changes are one, of the square root of the spheroid's area. Of 0 and 0.03 the
# latter was better on 122 outlines of four sets that were clicked up to six times.
GAP = 0.03
LEVEL_SHARE, LEAST = 0.8, 0.15  # of the map at the click, where it contradicts; below, nothing is seen


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click in an image: pixels (Y, X), objects, and which of them is meant; None for a new one."""

    pixels: Pixels
    objects: Objects
    number: int | None
    point: Point
    away: bool

    @property
    def own(self) -> Region | None:
        """The outline that is meant."""
        return None if self.number is None else self.objects[self.number]

    @property
    def shape(self) -> tuple[int, int]:
        """(Y, X) of the image."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def others(self) -> Iterator[Region]:
        """The outlines beside it."""
        return (region for number, region in self.objects.items() if number != self.number)


def grow(
    network: ClickModel, pixels: Pixels, objects: Objects, point: Point, number: int | None
) -> list[NewRegion]:
    """Outline the spheroid at a point, or grow an object to it.

    Where the object and the point turn out to be two spheroids, the point's becomes a new one.

    Raises:
        InvalidRequest: the point is outside, on another object, or nothing is seen there.
    """
    click = Clicked(pixels, objects, number, point, away=False)
    row, column = pixel_at(point, click.shape)
    if object_at(objects, row, column) not in (None, number):
        raise InvalidRequest("There is another outline at this point.")
    box, answer, own = _answer(network, click)
    place = (row - box[0].start, column - box[1].start)
    if not answer[place]:
        raise InvalidRequest(
            "No spheroid was seen at this point. Draw its outline, or paint it with the brush."
        )
    added = answer & ~own if own[place] else _connected(answer & ~own, place, answer)
    if not added.any():
        raise InvalidRequest("Nothing more was seen here. Paint what is missing with the brush.")
    whole = _union(Region.of(added, box[1].start, box[0].start), click.own)
    held = next(part for part in parts_of(whole) if part.holds(row, column))
    is_one = click.own is None or overlap(held, click.own) > 0
    return [NewRegion(number if is_one else None, held)]


def take_away(network: ClickModel, pixels: Pixels, objects: Objects, point: Point) -> list[NewRegion]:
    """Take from the object at a point what does not belong to it there; all of it where nothing does.

    Raises:
        InvalidRequest: there is no object at the point, or all of it belongs together.
    """
    shape = (pixels.shape[0], pixels.shape[1])
    row, column = pixel_at(point, shape)
    number = object_at(objects, row, column)
    if number is None:
        raise InvalidRequest("There is no outline at this point.")
    box, answer, own = _answer(network, Clicked(pixels, objects, number, point, away=True))
    place = (row - box[0].start, column - box[1].start)
    if answer[place]:
        raise InvalidRequest("This seems to belong to the spheroid. Erase it, or cut it off.")
    taken = Region.of(_connected(own & ~answer, place, own), box[1].start, box[0].start)
    assert taken is not None, "the click is in it"
    region = objects[number]
    left = Region.of(region.mask & ~taken.within(region.box), region.x, region.y)
    return [NewRegion(number, None if left is None else parts_of(left)[0])]


def _answer(network: ClickModel, click: Clicked) -> tuple[Box, Mask, Mask]:
    """A box of the image, the spheroid in it as the network sees it, and the outline as it stands."""
    window = _first_window(click)
    for look in range(1, MAX_LOOKS + 1):
        box = window.box(click.shape)
        own, others = _masks(click, box)
        seen = network.probability(window, click.pixels, (own, others), click.point, click.away)
        following = _following(window, seen, click)
        if following is None or look == MAX_LOOKS:
            break
        window = following
    answer = window.mask(seen, _level(seen, window, click), click.shape) & ~others
    return box, _without_holes(answer) & ~others, own


def _level(seen: Map, window: Window, click: Clicked) -> float:
    """The level of the map at which the click is right: 0.5, or as much lower or higher as it takes."""
    x, y = (min(SIDE - 1, max(0, int(at))) for at in window.place(click.point))
    here = float(seen[y, x])
    if click.away:
        return max(0.5, 1 - LEVEL_SHARE * (1 - here)) if here < 1 - LEAST else 0.5
    return min(0.5, LEVEL_SHARE * here) if here > LEAST else 0.5


def _first_window(click: Clicked) -> Window:
    """Around the outline and the click, or as wide as other spheroids of the image suggest."""
    x, y = click.point
    if click.own is not None:
        region = click.own
        left, top = min(x, region.x), min(y, region.y)
        right, bottom = max(x, region.x + region.width), max(y, region.y + region.height)
        side = max(right - left, bottom - top) / OUTLINE_SHARE
        return Window.around(((left + right) / 2, (top + bottom) / 2), side, click.shape)
    sizes = [max(region.width, region.height) for region in click.objects.values()]
    side = statistics.median(sizes) / TYPICAL_SHARE if sizes else FIRST_SHARE * min(click.shape)
    return Window.around(click.point, side, click.shape)


def _following(window: Window, seen: Map, click: Clicked) -> Window | None:
    """The window in which a spheroid is looked at again that this one is too small or too large for."""
    if click.away:
        return None
    x, y = (min(SIDE - 1, max(0, int(at))) for at in window.place(click.point))
    _, parts, boxes, _ = cv2.connectedComponentsWithStats((seen >= 0.5).astype(np.uint8), connectivity=8)
    if not parts[y, x]:
        return None
    left, top, width, height = boxes[parts[y, x]][:4].tolist()
    share = max(width, height) / SIDE
    if TOO_SMALL < share < TOO_LARGE:
        return None
    centre = (window.x + (left + width / 2) / window.scale, window.y + (top + height / 2) / window.scale)
    side = 2.0 * window.side if share >= TOO_LARGE else window.side * share / TYPICAL_SHARE
    wider = Window.around(centre, side, click.shape)
    return None if wider.side == window.side else wider


def _masks(click: Clicked, box: Box) -> tuple[Mask, Mask]:
    """The outline that is meant and those beside it, in a box."""
    size = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    own = np.zeros(size, np.bool_) if click.own is None else click.own.within(box)
    others = np.zeros(size, np.bool_)
    for region in click.others():
        if all(a.start < b.stop and b.start < a.stop for a, b in zip(region.box, box, strict=True)):
            others |= region.within(box)
    return own, others


def _connected(change: Mask, place: Pixel, whole: Mask) -> Mask:
    """The parts of a change that are connected with a pixel of it, across gaps small beside a whole."""
    reach = 2 * max(1, round(GAP * math.sqrt(whole.sum()))) + 1
    joined = cv2.dilate(change.astype(np.uint8), np.ones((reach, reach), np.uint8))
    _, parts = cv2.connectedComponents(joined, connectivity=8)
    return np.asarray((parts == parts[place]) & change)


def _without_holes(mask: Mask) -> Mask:
    """A mask with its holes filled: background that does not connect with the outside, four ways."""
    framed = np.pad(mask.view(np.uint8), 1)
    cv2.floodFill(framed, None, (0, 0), 2, flags=4)
    return np.asarray(framed[1:-1, 1:-1] != 2)


def _union(added: Region | None, own: Region | None) -> Region:
    """The pixels of both; at least one has some."""
    regions = [region for region in (added, own) if region is not None]
    rows, columns = (
        slice(min(axis.start for axis in axes), max(axis.stop for axis in axes))
        for axes in zip(*(region.box for region in regions), strict=True)
    )
    mask = np.logical_or.reduce([region.within((rows, columns)) for region in regions])
    union = Region.of(mask, columns.start, rows.start)
    assert union is not None, "the click is in it"
    return union
