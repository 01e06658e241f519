"""What a worker does with one image: bytes and a job in, everything worth keeping out.

It touches neither the database nor the disk, so it can run in any thread, process or machine.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from core import display, images, masks, overlay
from core.models import Job, Limits, Spheroid
from core.segmentation import SegmentationParams, segment


@dataclass(frozen=True, slots=True)
class Processed:
    """One segmented image.

    ``labels_png`` holds uint16 labels, 0 is background; ``thumbnail`` is the small picture with outlines.
    """

    engine: str
    engine_version: str
    params: dict[str, object]
    spheroids: tuple[Spheroid, ...]
    labels_png: bytes
    thumbnail: bytes
    timings_ms: dict[str, float]


def process(data: bytes, job: Job, limits: Limits) -> Processed:
    """Decode, segment and measure the page of ``data`` that ``job`` names.

    Raises:
        ImageError: the file cannot be decoded.
        InvalidRequest: the parameters are not the engine's.
        SegmentationError: the engine could not outline the image.
    """
    start = time.perf_counter()
    raster = images.decode(data, job.page, limits)
    decoded = time.perf_counter()
    result = segment(raster.pixels, SegmentationParams.from_dict(job.params), job.engine)
    segmented = time.perf_counter()
    labels_png = masks.encode(result.labels)
    thumbnail = overlay.thumbnail(raster, result.spheroids, display.THUMBNAIL_PX)
    encoded = time.perf_counter()
    return Processed(
        engine=result.engine,
        engine_version=result.engine_version,
        params=result.params,
        spheroids=result.spheroids,
        labels_png=labels_png,
        thumbnail=thumbnail,
        timings_ms={
            "decode": (decoded - start) * 1000,
            **result.timings_ms,
            "encode": (encoded - segmented) * 1000,
        },
    )
