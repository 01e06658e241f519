"""Spheroids of a label image: outlines, measurements, and reasons for those that are missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.models import Spheroid
from core.segmentation.grayscale import Pixels
from core.segmentation.measurement.measure import measure_objects, reasons
from core.segmentation.outlines.boundaries import Labels, OutlinedObject, find
from core.segmentation.outlines.contours import contours_of

T = TypeVar("T")


def describe(labels: Labels, pixels: Pixels) -> tuple[Spheroid, ...]:
    """Outline and measure every object, ordered by number.

    Args:
        labels: int32 (Y, X), 0 is background, each object in one part.
        pixels: the values (Y, X) that intensities are measured in; of (Y, X, C), the brightness is.

    Raises:
        InvalidRequest: labels and pixels differ in size, or the pixels are of a kind that cannot be measured.
        SegmentationError: an object is in several parts.
    """
    return describe_timed(find(labels), labels.shape, pixels, {})


def describe_timed(
    objects: Sequence[OutlinedObject],
    shape: tuple[int, ...],
    pixels: Pixels,
    timings_ms: dict[str, float],
    confidence: Sequence[float] = (),
) -> tuple[Spheroid, ...]:
    """As ``describe``, of objects that ``find`` found in a label image of this shape.

    Adds the wall times of "measure" and "contours" to ``timings_ms``. ``confidence``: of objects 1..N, where
    an engine drew them.
    """
    values, timings_ms["measure"] = timed(lambda: measure_objects(objects, shape, pixels))
    outlines, timings_ms["contours"] = timed(lambda: contours_of(objects))
    return tuple(
        Spheroid(item.number, outline, value, reasons(value), _of(item.number, confidence))
        for item, outline, value in zip(objects, outlines, values, strict=True)
    )


def _of(number: int, confidence: Sequence[float]) -> float | None:
    return confidence[number - 1] if confidence else None


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result of ``work`` and its wall time in ms."""
    start = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - start) * 1000
