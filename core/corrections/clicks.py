"""What a click makes of outlines: a network outlines what is clicked, or grows or trims an outline there.

The network (``core.segmentation.engines.click_network``) sees a window around click and outline. Only what is
connected with the click is taken from its answer, so that nobody loses what was right elsewhere; a click in
an outline takes what is connected with that. A click adds or takes away, never both.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.corrections.operations import NewRegion, Objects
from core.corrections.regions import Box, Mask, Region, object_at, overlap, part_at, pixel_at
from core.errors import InvalidRequest
from core.segmentation.engines.base import Map
from core.segmentation.engines.click_network import SIDE, ClickModel, Picture, Window
from core.segmentation.engines.unet import certainty

Point = tuple[float, float]  # (x, y)
Pixel = tuple[int, int]  # (row, column)
OUTLINE_SHARE, TYPICAL_SHARE = 0.55, 0.4  # of a window's side: an outline in it, a spheroid as others are
FIRST_SHARE = 0.5  # of the image's shorter side: the window where nothing says how large spheroids are
TOO_LARGE, TOO_SMALL = 0.85, 0.15  # of a window's side: an answer that is looked at in another one
MAX_LOOKS = 3
# How far changes reach for each other, of the square root of a spheroid's area. Of 0 and 0.03 the latter was
# better on 122 outlines of four sets that were clicked up to six times.
REACH = 0.03
LEVEL_SHARE, LEAST = 0.8, 0.15  # of the map at the click, where it contradicts; below, nothing is seen
MIDDLE = 128  # level of the map, 0..255
CRUMB = 0.01  # of an outline: what is left of it and smaller goes, too, as with the eraser


@dataclass(frozen=True, slots=True)
class ClickedImage:
    """A click in a picture with objects, and which of them is meant; None for a new one."""

    picture: Picture
    objects: Objects
    number: int | None
    point: Point
    away: bool

    @property
    def own(self) -> Region | None:
        """The outline that is meant."""
        return None if self.number is None else self.objects[self.number]

    def others(self) -> Iterator[Region]:
        """The outlines beside it."""
        return (region for number, region in self.objects.items() if number != self.number)


def grow(
    network: ClickModel, picture: Picture, objects: Objects, point: Point, number: int | None
) -> list[NewRegion]:
    """Outline the spheroid at a point, or grow an object to it.

    Where the object and the point turn out to be two spheroids, the point's becomes a new one.

    Raises:
        InvalidRequest: the point is outside, on another object, or nothing (more) is seen there.
    """
    row, column = pixel_at(point, picture.shape)
    if object_at(objects, row, column) not in (None, number):
        raise InvalidRequest("There is another outline at this point.")
    meant = number if number is not None and _is_near(objects[number], point) else None
    click = ClickedImage(picture, objects, meant, point, away=False)
    box, answer, own = _answer(network, click)
    place = (row - box[0].start, column - box[1].start)
    if not answer[place]:
        raise InvalidRequest(
            "No spheroid was seen at this point. Draw its outline, or paint it with the brush."
        )
    added = answer & ~own if own[place] else _connected(answer & ~own, place, answer)
    held = part_at(_union(Region.of(added, box[1].start, box[0].start), click.own), row, column)
    if held == click.own:
        raise InvalidRequest("Nothing more was seen here. Paint what is missing with the brush.")
    is_one = click.own is not None and overlap(held, click.own) > 0
    return [NewRegion(meant if is_one else None, held)]


def take_away(network: ClickModel, picture: Picture, objects: Objects, point: Point) -> list[NewRegion]:
    """Take from the object at a point what does not belong to it there; all of it where nothing does.

    Raises:
        InvalidRequest: there is no object at the point, or all of it belongs together.
    """
    row, column = pixel_at(point, picture.shape)
    number = object_at(objects, row, column)
    if number is None:
        raise InvalidRequest("There is no outline at this point.")
    box, answer, own = _answer(network, ClickedImage(picture, objects, number, point, away=True))
    place = (row - box[0].start, column - box[1].start)
    if answer[place]:
        raise InvalidRequest("This seems to belong to the spheroid. Erase it, or cut it off.")
    taken = Region.of(_connected(own & ~answer, place, own), box[1].start, box[0].start)
    assert taken is not None, "the click is in it"
    region = objects[number]
    left = _without_crumbs(region.mask & ~taken.within(region.box), CRUMB * region.area)
    return [NewRegion(number, Region.of(left, region.x, region.y))]


def _answer(network: ClickModel, click: ClickedImage) -> tuple[Box, Mask, Mask]:
    """A box of the image, the spheroid in it as the network sees it, and the outline as it stands."""
    shape = click.picture.shape
    looks = [_settled_window(network, click, first) for first in _first_windows(click)]
    window, seen = max(looks, key=lambda look: certainty(look[1]))
    box = window.box(shape)
    own, others = _masks(click, box)
    levels = window.enlarged(seen, shape)
    row, column = pixel_at(click.point, shape)
    here = int(levels[row - box[0].start, column - box[1].start])
    answer = np.asarray(levels >= _level(here, click.away)) & ~others
    # a click to take away may be in a hole
    return box, answer if click.away else _without_holes(answer) & ~others, own


def _settled_window(network: ClickModel, click: ClickedImage, window: Window) -> tuple[Window, Map]:
    """The window that shows what is clicked at a good size, and the network's map of it."""
    for look in range(1, MAX_LOOKS + 1):
        masks = _masks(click, window.box(click.picture.shape))
        seen = network.probability(window, click.picture, masks, click.point, click.away)
        following = _following(window, seen, click)
        if following is None or look == MAX_LOOKS:
            break
        window = following
    return window, seen


def _level(here: int, away: bool) -> int:
    """The level of the map, 0..255, at which the click is right: the middle, or as far from it as it takes.

    ``here``: of the map at the click. Where it says the contrary all too surely, the middle stays.
    """
    if away:
        return (
            max(MIDDLE, math.ceil(255 - LEVEL_SHARE * (255 - here))) if here < (1 - LEAST) * 255 else MIDDLE
        )
    return min(MIDDLE, math.floor(LEVEL_SHARE * here)) if here > LEAST * 255 else MIDDLE


def _is_near(region: Region, point: Point) -> bool:
    """Whether a point is within an object's own size of its box."""
    x, y = point
    size = max(region.width, region.height)
    return (
        region.x - size <= x <= region.x + region.width + size
        and region.y - size <= y <= region.y + region.height + size
    )


def _first_windows(click: ClickedImage) -> list[Window]:
    """Around the outline and the click; without one as wide as other spheroids suggest, and a wide one."""
    x, y = click.point
    shape = click.picture.shape
    if click.own is not None:
        region = click.own
        left, top = min(x, region.x), min(y, region.y)
        right, bottom = max(x, region.x + region.width), max(y, region.y + region.height)
        side = max(right - left, bottom - top) / OUTLINE_SHARE
        return [Window.around(((left + right) / 2, (top + bottom) / 2), side, shape)]
    sizes = [max(region.width, region.height) for region in click.objects.values()]
    sides = [FIRST_SHARE * min(shape)]
    if sizes:
        sides.insert(0, statistics.median(sizes) / TYPICAL_SHARE)
    return [Window.around(click.point, side, shape) for side in sides]


def _following(window: Window, seen: Map, click: ClickedImage) -> Window | None:
    """The window in which a spheroid is looked at again that this one is too small or too large for."""
    if click.away:
        return None
    x, y = (min(SIDE - 1, max(0, int(at))) for at in window.in_view(click.point))
    _, parts, boxes, _ = cv2.connectedComponentsWithStats((seen >= 0.5).astype(np.uint8), connectivity=8)
    if not parts[y, x]:
        return None
    left, top, width, height = boxes[parts[y, x]][:4].tolist()
    share = max(width, height) / SIDE
    if TOO_SMALL < share < TOO_LARGE:
        return None
    centre = (window.x + (left + width / 2) / window.scale, window.y + (top + height / 2) / window.scale)
    side = 2.0 * window.side if share >= TOO_LARGE else window.side * share / TYPICAL_SHARE
    other = Window.around(centre, side, click.picture.shape)
    return None if other.side == window.side else other


def _masks(click: ClickedImage, box: Box) -> tuple[Mask, Mask]:
    """The outline that is meant and those beside it, in a box."""
    size = (box[0].stop - box[0].start, box[1].stop - box[1].start)
    own = np.zeros(size, np.bool_) if click.own is None else click.own.within(box)
    others = np.zeros(size, np.bool_)
    for region in click.others():
        rows, columns = (
            slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(region.box, box, strict=True)
        )
        if rows.start < rows.stop and columns.start < columns.stop:
            down, across = box[0].start, box[1].start
            place = (
                slice(rows.start - down, rows.stop - down),
                slice(columns.start - across, columns.stop - across),
            )
            others[place] |= region.within((rows, columns))
    return own, others


def _connected(change: Mask, place: Pixel, whole: Mask) -> Mask:
    """The parts of a change that are connected with a pixel of it, across gaps small beside a whole."""
    side = 2 * max(1, round(REACH * math.sqrt(whole.sum()))) + 1
    joined = cv2.dilate(change.view(np.uint8), np.ones((side, side), np.uint8))
    _, parts = cv2.connectedComponents(joined, connectivity=8)
    return np.asarray((parts == parts[place]) & change)


def _without_crumbs(mask: Mask, least_px: float) -> Mask:
    """A mask without its connected parts of fewer pixels."""
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    is_part = boxes[:, cv2.CC_STAT_AREA] >= least_px
    is_part[0] = False  # the background
    return np.asarray(is_part[parts])


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
