"""Segment one image: a file and a job in, everything that is saved out.

It writes neither to the database nor to the data folder, so it can run in any thread, process or machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from core import images
from core.errors import WorkersUnavailable
from core.images import label_png, rendering
from core.models import Job, Limits, Spheroid
from core.queue.cpu_slots import CpuSlots, usable_cores
from core.segmentation import Arithmetic, SegmentationParams, compute_with, delineate, engine_version, predict


@dataclass(frozen=True, slots=True)
class Processed:
    """One segmented image.

    ``labels_png`` holds uint16 labels, 0 is background; ``thumbnail`` is the small picture with outlines;
    ``maps`` is what the engine saw, as ``Look.pack`` gives it.
    """

    engine: str
    engine_version: str
    params: dict[str, object]
    spheroids: tuple[Spheroid, ...]
    labels_png: bytes
    thumbnail: bytes
    maps: bytes
    confidence: float | None
    timings_ms: dict[str, float]


Work = Callable[[Path, Job], Processed]  # what an executor is given to do with a file


def process_like(
    data: bytes, job: Job, limits: Limits, versions: Mapping[str, str], precision: str
) -> Processed:
    """As ``process``, on another computer, for an app whose engines have these ``versions`` by name.

    ``data`` is the content of the file, since the app's disk is not there.

    The network computes with the app's ``precision``, whatever this computer's environment says.

    Raises:
        WorkersUnavailable: the engine here is another version, which may outline otherwise.
    """
    own = engine_version(job.engine)
    if own != versions.get(job.engine):
        raise WorkersUnavailable(
            f"A worker has another version of the engine {job.engine} ({own}) than this app. Update it."
        )
    compute_with(Arithmetic(precision=precision))
    with tempfile.TemporaryDirectory(prefix="spheroscope-") as folder:
        path = Path(folder) / "image"
        path.write_bytes(data)
        return process(path, job, limits, _worker_slots())


@cache
def _worker_slots() -> CpuSlots:
    """Those of a worker process, which Dask gives no other place to keep anything."""
    return CpuSlots(usable_cores())


def process(path: Path, job: Job, limits: Limits, cpu_slots: CpuSlots) -> Processed:
    """Decode, segment and measure the page of a file that ``job`` names, once a core is free.

    Raises:
        ImageError: the file cannot be decoded.
        StorageError: the disk refuses.
        InvalidRequest: the parameters are not the engine's.
        SegmentationError: the engine could not outline the image.
    """
    start = time.perf_counter()
    with cpu_slots.turn():
        waited_ms = (time.perf_counter() - start) * 1000
        processed = _process(path, job, limits)
    return replace(processed, timings_ms={"wait": waited_ms, **processed.timings_ms})


def _process(path: Path, job: Job, limits: Limits) -> Processed:
    start = time.perf_counter()
    raster = images.decode(path, job.page, limits)
    decoded = time.perf_counter()
    params = SegmentationParams.from_dict(job.params)
    seen = predict(raster.pixels, params, job.engine)
    result = delineate(raster.pixels, seen, params)
    segmented = time.perf_counter()
    labels_png = label_png.encode(result.labels)
    thumbnail = rendering.thumbnail(raster, result.spheroids)
    maps = seen.pack()
    encoded = time.perf_counter()
    return Processed(
        engine=result.engine,
        engine_version=result.engine_version,
        params=result.params,
        spheroids=result.spheroids,
        labels_png=labels_png,
        thumbnail=thumbnail,
        maps=maps,
        confidence=result.confidence,
        timings_ms={
            "decode": (decoded - start) * 1000,
            **result.timings_ms,
            "encode": (encoded - segmented) * 1000,
        },
    )
