"""Regions: the pixels of one object, as a box and its runs. They are stored, sent and compared.

A label image is the same as one region a number, since labels do not overlap; ``regions_of`` and
``labels_of`` turn one into the other without loss.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.corrections.segments import Segments
from core.errors import InvalidRequest

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]
Box = tuple[slice, slice]  # rows and columns of an image
MAX_RUNS = 200_000  # of one object


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels of one object: its bounding box, and where in it they are.

    ``runs`` are start and length, start and length, … of the pixels row by row through the box; equal regions
    have equal values. A region has at least one pixel.
    """

    x: int
    y: int
    width: int
    height: int
    runs: tuple[int, ...]

    @classmethod
    def of(cls, mask: Mask, x: int = 0, y: int = 0) -> Region | None:
        """The region of a bool mask (Y, X) whose first pixel is at (x, y); None where it has no pixels."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return None
        top, left = int(rows[0]), int(columns[0])
        tight = mask[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
        flat = np.concatenate(([False], tight.ravel(), [False]))
        ends = np.flatnonzero(flat[1:] != flat[:-1]).reshape(-1, 2)
        ends[:, 1] -= ends[:, 0]
        return cls(x + left, y + top, tight.shape[1], tight.shape[0], tuple(ends.ravel().tolist()))

    @classmethod
    def checked(cls, box: Sequence[int], runs: Sequence[int], shape: tuple[int, int]) -> Region | None:
        """The region that a client sent for an image of ``shape`` (Y, X); None for no pixels.

        Raises:
            InvalidRequest: the box is not within the image, or the runs not in order within the box.
        """
        if not runs:
            return None
        if len(box) != 4 or len(runs) % 2 or len(runs) > 2 * MAX_RUNS:
            raise InvalidRequest(
                "An outline is a box of x, y, width, height, and pairs of start and length of its runs."
            )
        x, y, width, height = box
        if min(x, y) < 0 or min(width, height) < 1 or x + width > shape[1] or y + height > shape[0]:
            raise InvalidRequest("The box of an outline is not within the image.")
        if not all(0 <= value <= width * height for value in runs):
            raise InvalidRequest("The runs of an outline must be within its box.")
        values = np.asarray(runs, np.int64)
        starts, lengths = values[::2], values[1::2]
        ends = starts + lengths
        if (lengths < 1).any() or (starts[1:] < ends[:-1]).any() or ends[-1] > width * height:
            raise InvalidRequest("The runs of an outline must be in order, apart, and within its box.")
        return cls(*Segments.of_runs(runs, (x, y, width)).to_runs())

    @property
    def segments(self) -> Segments:
        """The pixels as stretches of rows."""
        return Segments.of_runs(self.runs, (self.x, self.y, self.width))

    @property
    def mask(self) -> Mask:
        """The pixels as bool (Y, X) of the box's size."""
        return _filled(self.runs, self.width, self.height)

    @property
    def box(self) -> Box:
        """Rows and columns of the image that the box covers."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def within(self, box: Box) -> Mask:
        """Which pixels of a box of rows and columns the region has, as bool (Y, X) of that box's size."""
        rows, columns = box
        inside = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.bool_)
        top, bottom = max(self.y, rows.start), min(self.y + self.height, rows.stop)
        left, right = max(self.x, columns.start), min(self.x + self.width, columns.stop)
        if top < bottom and left < right:
            shared = self.mask[top - self.y : bottom - self.y, left - self.x : right - self.x]
            inside[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start] = (
                shared
            )
        return inside

    def holds(self, row: int, column: int) -> bool:
        """Whether a pixel of the image is one of its."""
        y, x = row - self.y, column - self.x
        if not (0 <= y < self.height and 0 <= x < self.width):
            return False
        place = y * self.width + x
        run = bisect_right(range(len(self.runs) // 2), place, key=lambda number: self.runs[2 * number]) - 1
        return run >= 0 and place < self.runs[2 * run] + self.runs[2 * run + 1]

    @property
    def area(self) -> int:
        """Number of pixels."""
        return sum(self.runs[1::2])

    def to_json(self) -> dict[str, Any]:
        """As it is stored and sent."""
        return {"box": [self.x, self.y, self.width, self.height], "runs": list(self.runs)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Region | None:
        """From what ``to_json`` returned; None of None."""
        if value is None:
            return None
        x, y, width, height = value["box"]
        return cls(x, y, width, height, tuple(value["runs"]))


def regions_of(labels: Labels) -> dict[int, Region]:
    """The region of each number of a label image, int32 (Y, X), 0 is background."""
    regions = {}
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            region = Region.of(labels[box] == number, box[1].start, box[0].start)
            assert region is not None, "find_objects names only numbers that occur"
            regions[number] = region
    return regions


def labels_of(regions: Mapping[int, Region], shape: tuple[int, int]) -> Labels:
    """The label image int32 (Y, X) of regions, which do not overlap."""
    labels = np.zeros(shape, np.int32)
    for number, region in regions.items():
        labels[region.box][region.mask] = number
    return labels


def overlap(one: Region, other: Region) -> int:
    """Number of pixels that two regions share."""
    left, right = max(one.x, other.x), min(one.x + one.width, other.x + other.width)
    top, bottom = max(one.y, other.y), min(one.y + one.height, other.y + other.height)
    if left >= right or top >= bottom:
        return 0
    return one.segments.shared_px(other.segments)


def iou(one: Region | None, other: Region | None) -> float:
    """Intersection over union of two regions, 0..1; None is a region that is not there."""
    if one is None or other is None:
        return 0.0
    shared = overlap(one, other)
    return shared / (one.area + other.area - shared)


def mean_iou(before: Mapping[int, Region], after: Mapping[int, Region]) -> float:
    """Mean over the objects of either state of the IoU of each with itself; 1 where neither has any.

    An object that was added or deleted counts as 0.
    """
    numbers = before.keys() | after.keys()
    if not numbers:
        return 1.0
    return sum(iou(before.get(number), after.get(number)) for number in numbers) / len(numbers)


def parts_of(region: Region) -> list[Region]:
    """The connected parts of a region, the largest first; pixels also connect at corners."""
    segments = region.segments.parts()
    if len(segments) == 1:
        return [region]
    parts = (Region(*item.to_runs()) for item in segments)
    # of equal ones first the one whose first pixel comes first: the browser orders them so, too
    return sorted(
        parts,
        key=lambda part: (-part.area, part.y, part.x + part.runs[0]),
    )


def part_at(region: Region, row: int, column: int) -> Region:
    """The connected part of a region that has a pixel of the image, which is one of the region's."""
    return next(part for part in parts_of(region) if part.holds(row, column))


def object_at(regions: Mapping[int, Region], row: int, column: int) -> int | None:
    """The number of the region that has a pixel; None where none has."""
    return next((number for number, region in regions.items() if region.holds(row, column)), None)


def pixel_at(point: tuple[float, float], shape: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the pixel at a point (x, y) of an image of ``shape`` (Y, X).

    Raises:
        InvalidRequest: the point is not within the image.
    """
    x, y = point
    if not (0 <= x < shape[1] and 0 <= y < shape[0]):
        raise InvalidRequest("This point is not within the image.")
    return int(y), int(x)


def _filled(runs: Sequence[int], width: int, height: int) -> Mask:
    values = np.asarray(runs, np.int64)
    ends = values[::2] + values[1::2]
    counts = np.zeros(len(runs) + 1, np.int64)  # of pixels outside and inside by turns
    counts[:-1:2], counts[1::2] = values[::2], values[1::2]
    counts[2:-1:2] -= ends[:-1]
    counts[-1] = width * height - ends[-1]
    mask: Mask = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width)
    return mask
