"""A simulated hand that mends outlines with the editor's tools, and the same hand that draws them anew.

One model for both: the spheroid is shown as a click on its row shows it, about 400 screen pixels across. The
hand starts with the brush, takes half a second to get to where a gesture begins, a keystroke for another tool
and one for another size of the brush (0.28 s each, of Card, Moran and Newell's keystroke-level model, average
typist), and moves 400 screen pixels a second. What it draws lies off by some pixels, once a gesture. Of the
tools that it may use it takes each time the gesture that mends most a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bench.editor_tools import EditorTools, Point, Stroke
from core.corrections import Region, labels_of
from core.corrections.clicks import grow, take_away
from core.corrections.operations import Objects, applied, planned
from core.corrections.regions import Mask, overlap
from core.errors import InvalidRequest
from core.segmentation.engines.click_network import ClickModel, Picture

PX_PER_S, HZ = 400.0, 120.0
BEGIN_S, KEY_S, CLICK_S = 0.5, 0.28, 0.1
SHOWN_PX, OFF_PX = 400.0, 3.0  # on the screen: a spheroid's diameter; how far a gesture lies off (SD)
BRUSH_PX, MOST_BRUSH_PX = 28.0, 300.0  # diameter on the screen: at first, and the largest
GOAL, MOST_GESTURES = 0.95, 12
MENDED_PER_S = 0.05  # of IoU: what the hand expects of its next gestures
PARTS, LEAST_PART = 3, 0.01  # so many of the largest wrong parts are looked at; of the spheroid's area
ALL_TOOLS = ("brush", "erase", "bend", "click")
OWN = 60_000  # number of the first outline that is mended; those beside it have smaller ones


@dataclass(frozen=True)
class Surroundings:
    """The whole image around an outline: picture and other outlines, and where its part begins (x, y)."""

    picture: Picture
    others: Objects
    corner: tuple[int, int]


@dataclass(frozen=True)
class Outline:
    """An outline that is wrong, alone in its part of an image, with what is right there.

    ``around``: the rest of the image, which clicks need.
    """

    name: str
    regions: tuple[Region, ...]
    truth: Mask
    around: Surroundings | None = None

    @property
    def scale(self) -> float:
        """Screen pixels an image pixel."""
        return SHOWN_PX / float(2 * np.sqrt(self.truth.sum() / np.pi))


@dataclass
class Work:
    """What a hand has done: seconds, gestures by tool, and how good the outline is."""

    seconds: float = 0.0
    tools: list[str] = field(default_factory=list)
    iou: float = 0.0


@dataclass
class _Hand:
    tool: str = "brush"
    size: float = BRUSH_PX  # of the brush, on the screen

    def seconds(self, stroke: Stroke, scale: float) -> float:
        """How long a gesture takes from here."""
        worked = BEGIN_S + length(stroke.points) * scale / PX_PER_S
        if stroke.tool in ("click", "away"):
            worked += CLICK_S
        worked += KEY_S * (_key(stroke.tool) != _key(self.tool))
        return worked + KEY_S * (stroke.radius > 0 and abs(2 * stroke.radius * scale - self.size) > 0.5)

    def take(self, stroke: Stroke, scale: float) -> None:
        self.tool = stroke.tool
        self.size = 2 * stroke.radius * scale if stroke.radius > 0 else self.size


def _key(tool: str) -> str:
    """The key of a tool: both buttons click."""
    return "click" if tool == "away" else tool


def mended(outline: Outline, tools: EditorTools, allowed: Sequence[str], rng: np.random.Generator) -> Work:
    """Mend an outline until it has the IoU that is the goal, or the hand knows no more."""
    hand, work = _Hand(), Work()
    regions, truth, scale = list(outline.regions), outline.truth, outline.scale
    while (now := iou(regions, truth)) < GOAL and len(work.tools) < MOST_GESTURES:
        offers = [
            item
            for item in _gestures(outline, regions, hand)
            if item.tool.replace("away", "click") in allowed
        ]
        made = _outcomes(outline, regions, offers, tools)
        left = [
            hand.seconds(item, scale) + _expected_s(iou(after, truth))
            if after is not None and iou(after, truth) > now
            else np.inf
            for item, after in zip(offers, made, strict=True)
        ]
        if not left or not np.isfinite(min(left)):
            break
        chosen = offers[int(np.argmin(left))]
        work.seconds += hand.seconds(chosen, scale)
        work.tools.append(_key(chosen.tool))
        hand.take(chosen, scale)
        off = rng.normal(0, OFF_PX / scale, 2)
        (after,) = _outcomes(outline, regions, [chosen.moved(*off.tolist())], tools)
        regions = regions if after is None else after
    work.iou = iou(regions, truth)
    return work


def _expected_s(now: float) -> float:
    """Seconds that the rest is expected to take: to begin, and one for each 0.05 of IoU that lacks."""
    lacking = GOAL - now
    return 0.0 if lacking <= 0 else BEGIN_S + lacking / MENDED_PER_S


def drawn_anew(outline: Outline) -> float:
    """Seconds to point at an outline, delete it, take the tool that draws, and follow the right one."""
    (ring, *_), _ = cv2.findContours(
        outline.truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_KCOS
    )
    around = float(cv2.arcLength(ring, True)) * outline.scale
    return BEGIN_S + KEY_S + KEY_S + BEGIN_S + around / PX_PER_S


def iou(regions: Sequence[Region], truth: Mask) -> float:
    """Intersection over union of outlines together with what is right."""
    mask = labels_of(dict(enumerate(regions, start=1)), truth.shape) > 0  # type: ignore[arg-type]
    return float((mask & truth).sum() / max(1, (mask | truth).sum()))


def length(points: Sequence[Point]) -> float:
    """Length of a line."""
    line = np.array(points)
    return float(np.hypot(*np.diff(line, axis=0).T).sum()) if len(points) > 1 else 0.0


def _outcomes(
    outline: Outline, regions: Sequence[Region], strokes: Sequence[Stroke], tools: EditorTools
) -> list[list[Region] | None]:
    drawn = [item for item in strokes if _key(item.tool) != "click"]
    made = iter(tools.outcomes(regions, outline.truth.shape, outline.scale, drawn))  # type: ignore[arg-type]
    return [
        next(made)
        if _key(item.tool) != "click"
        else clicked(outline, regions, item.tool, item.points[0], tools.network)
        for item in strokes
    ]


def clicked(
    outline: Outline, regions: Sequence[Region], tool: str, point: Point, network: ClickModel
) -> list[Region] | None:
    """What a click makes of outlines; None where it is refused."""
    assert outline.around is not None, "offered only where there is a picture"
    picture, (left, top) = outline.around.picture, outline.around.corner
    own = {
        number: replace(region, x=region.x + left, y=region.y + top)
        for number, region in enumerate(regions, start=OWN)
    }
    others = {
        number: rest
        for number, other in outline.around.others.items()
        if (rest := _without(other, own.values())) is not None
    }
    there = (point[0] + left, point[1] + top)
    objects = others | own
    try:
        if tool == "away":
            new = take_away(network, picture, objects, there)
        else:
            new = grow(network, picture, objects, there, max(own, key=lambda n: own[n].area, default=None))
        after = applied(objects, planned(objects, new, OWN + len(own)))
    except InvalidRequest:
        return None
    height, width = outline.truth.shape
    box = slice(top, top + height), slice(left, left + width)
    parts = [Region.of(region.within(box)) for number, region in after.items() if number not in others]
    return [part for part in parts if part is not None]


def _without(region: Region, others: Iterable[Region]) -> Region | None:
    """A region without the pixels of others; strokes of the hand know no neighbours."""
    mask = region.mask
    for other in others:
        if overlap(region, other):
            mask = mask & ~other.within(region.box)
    return Region.of(mask, region.x, region.y)


def wrong_parts(regions: Sequence[Region], truth: Mask) -> Iterator[tuple[Mask, bool]]:
    """The largest parts that are wrong, and whether each is missing rather than too much."""
    mask = labels_of(dict(enumerate(regions, start=1)), truth.shape) > 0  # type: ignore[arg-type]
    found: list[tuple[float, Mask, bool]] = []
    for wrong, missing in ((truth & ~mask, True), (mask & ~truth, False)):
        numbers, count = ndimage.label(wrong)
        for number in range(1, count + 1):
            part = numbers == number
            found.append((float(part.sum()), part, missing))
    for area, part, missing in sorted(found, key=lambda item: -item[0])[:PARTS]:
        if area >= LEAST_PART * truth.sum() or area == max(item[0] for item in found):
            yield part, missing


def _gestures(outline: Outline, regions: Sequence[Region], hand: _Hand) -> Iterator[Stroke]:
    """What the hand might do about the parts that are wrong."""
    truth, scale = outline.truth, outline.scale
    mask = labels_of(dict(enumerate(regions, start=1)), truth.shape) > 0  # type: ignore[arg-type]
    for part, missing in wrong_parts(regions, truth):
        depth = ndimage.distance_transform_edt(part)
        deepest = np.unravel_index(int(depth.argmax()), depth.shape)
        middle = (float(deepest[1]) + 0.5, float(deepest[0]) + 0.5)
        if outline.around is not None:
            yield Stroke("click" if missing else "away", (middle,))
        yield from _painted(part, missing, truth, float(depth.max()), scale, hand)
        yield from _bent(part, missing, truth, mask)


def _painted(
    part: Mask, missing: bool, truth: Mask, depth: float, scale: float, hand: _Hand
) -> Iterator[Stroke]:
    """Strokes along the true edge past a part that is wrong, inside or outside; the brush touches it."""
    side = truth if missing else ~truth
    away = ndimage.distance_transform_edt(np.pad(side, 1, constant_values=not missing))[1:-1, 1:-1]
    thick = ndimage.distance_transform_edt(part) > max(0.5, 0.1 * depth)
    near = ndimage.distance_transform_edt(~thick)
    sizes = {hand.size, *(times * 2 * depth * scale for times in (0.8, 1.1, 1.6))}
    for size in sorted({min(MOST_BRUSH_PX, size) for size in sizes}):
        radius = size / 2 / scale
        rings, _ = cv2.findContours((away >= radius).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for share in (0.3, 0.7, 1.0):
            lines = [_longest(ring[:, 0, :], near, max(1.0, share * radius)) for ring in rings]
            points = max(lines, key=len, default=[])
            if points:
                step = max(1, round(max(PX_PER_S / HZ / scale, radius / 5)))
                line = tuple((x + 0.5, y + 0.5) for x, y in [*points[:-1:step], points[-1]])
                yield Stroke("brush" if missing else "erase", line, radius)


def _longest(ring: NDArray[np.int32], near: NDArray[np.float64], reach: float) -> list[tuple[int, int]]:
    """The longest stretch of a ring of pixels (x, y) that is near enough."""
    good = near[ring[:, 1], ring[:, 0]] <= reach
    if good.all() or not good.any():
        return [(int(x), int(y)) for x, y in ring[good]]
    turned = np.roll(ring, -int(np.argmin(good)), axis=0)
    kept = np.concatenate(([False], near[turned[:, 1], turned[:, 0]] <= reach, [False]))
    ends = np.flatnonzero(kept[1:] != kept[:-1]).reshape(-1, 2)
    first, last = ends[int(np.argmax(ends[:, 1] - ends[:, 0]))]
    return [(int(x), int(y)) for x, y in turned[first:last]]


def _bent(part: Mask, missing: bool, truth: Mask, mask: Mask) -> Iterator[Stroke]:
    """Pulls of the outline where it is furthest off, to the nearest place of the true edge."""
    rim = (mask & ~ndimage.binary_erosion(mask)) & ndimage.binary_dilation(part, iterations=2)
    side = truth if missing else ~truth
    away, nearest = ndimage.distance_transform_edt(side, return_indices=True)
    if not rim.any() or not away[rim].max():
        return
    rows, columns = np.nonzero(rim)
    order = np.argsort(-away[rows, columns])
    centre = np.array(ndimage.center_of_mass(part))
    closest = int(np.argmin(np.hypot(rows - centre[0], columns - centre[1])))
    for place in {int(order[0]), closest}:
        row, column = int(rows[place]), int(columns[place])
        to_row, to_column = (int(axis[row, column]) for axis in nearest)
        for pull in (0.75, 1.0, 1.25):
            x, y = column + pull * (to_column - column), row + pull * (to_row - row)
            yield Stroke("bend", ((column + 0.5, row + 0.5), (x + 0.5, y + 0.5)))
