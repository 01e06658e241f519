"""Measurements of single regions: only what an operation has changed is measured again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from core.corrections.regions import Region
from core.models import OutlineSource, Spheroid
from core.segmentation.grayscale import Pixels
from core.segmentation.measurement.measure import measure_objects, reasons
from core.segmentation.outlines.boundaries import OutlinedObject, find
from core.segmentation.outlines.contours import contours_of

TOGETHER_PX = 2**22  # of the boxes of objects that are measured at once; larger ones come one by one


def described(regions: Mapping[int, Region], numbers: Iterable[int], pixels: Pixels) -> tuple[Spheroid, ...]:
    """Outline and measure those regions whose numbers are given, ordered by number.

    ``pixels``: the grey values (Y, X) of the whole image, at the same resolution.
    """
    ordered = sorted(numbers)
    if boxes_px(regions[number] for number in ordered) <= TOGETHER_PX:
        return _described(regions, ordered, pixels)
    return tuple(item for number in ordered for item in _described(regions, [number], pixels))


def boxes_px(regions: Iterable[Region]) -> int:
    """Pixels of the boxes of regions, which is what measuring them takes memory and time for."""
    return sum(region.width * region.height for region in regions)


def _described(regions: Mapping[int, Region], numbers: list[int], pixels: Pixels) -> tuple[Spheroid, ...]:
    objects = [_outlined(number, regions[number]) for number in numbers]
    values = measure_objects(objects, pixels.shape, pixels)
    return tuple(
        Spheroid(item.number, outline, value, reasons(value), outline=OutlineSource.CORRECTED)
        for item, outline, value in zip(objects, contours_of(objects), values, strict=True)
    )


def _outlined(number: int, region: Region) -> OutlinedObject:
    height, width = region.mask.shape
    (item,) = find(region.mask.astype(np.int32), [(slice(0, height), slice(0, width))])
    return replace(item, number=number, box=region.box)
