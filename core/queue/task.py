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
from core.images.reader import decoding
from core.models import ImageQuality, Job, Limits, Spheroid
from core.queue.resources import ComputeResources
from core.segmentation import Arithmetic, Engine, SegmentationParams, delineate, predict


@dataclass(frozen=True, slots=True)
class Processed:
    """One segmented image.

    ``labels_png`` holds uint16 labels, 0 is background; ``thumbnail`` is the small picture with outlines;
    ``maps`` is what the engine predicted, as ``EngineOutput.pack`` gives it.
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
    quality: ImageQuality | None = None


Work = Callable[[Path, Job], Processed]  # what an executor is given to do with a file


def page_to_send(path: Path, job: Job, limits: Limits) -> bytes:
    """Return the page of a file that ``job`` names as a file of its own: what travels to another computer.

    Raises:
        ImageError, StorageError: the file cannot be read.
    """
    with images.open_image(path, limits) as reader, decoding(reader.format_name):
        return reader.file_of(reader.plane(job.page))


def process_elsewhere(
    data: bytes, job: Job, limits: Limits, keys: Mapping[str, str], precision: str
) -> Processed:
    """As ``process``, on another computer, for an app whose engines have these ``keys`` by name.

    ``data`` is what ``page_to_send`` returned, since the app's disk is not there.
    The network computes with the app's ``precision``, whatever this computer's environment says.

    Raises:
        WorkersUnavailable: this computer has another version of the engine, which may outline otherwise.
    """
    resources = _worker_resources(limits, precision)
    if job.engine in keys and resources.engines.keys.get(job.engine) != keys[job.engine]:
        raise WorkersUnavailable(
            f"A worker has another version of the engine {job.engine} than this app. Update it."
        )
    with tempfile.TemporaryDirectory(prefix="spheroscope-") as folder:
        path = Path(folder) / "image"
        path.write_bytes(data)
        return process(path, replace(job, page=1), resources)


@cache
def _worker_resources(limits: Limits, precision: str) -> ComputeResources:
    """Return the resources of this worker process: Dask gives no other place to keep them."""
    return ComputeResources.open(Arithmetic(precision=precision), limits)


def process(path: Path, job: Job, resources: ComputeResources) -> Processed:
    """Decode, segment and measure the page of a file that ``job`` names, once a core is free.

    Raises:
        ImageError: the file cannot be decoded.
        StorageError: the disk refuses.
        InvalidRequest: there is no such engine, or the parameters cannot be.
        SegmentationError: the engine could not outline the image.
    """
    start = time.perf_counter()
    with resources.cpu_slots.hold():
        waited_ms = (time.perf_counter() - start) * 1000
        processed = _process(path, job, resources.limits, resources.engines.get(job.engine))
    return replace(processed, timings_ms={"wait": waited_ms, **processed.timings_ms})


def _process(path: Path, job: Job, limits: Limits, engine: Engine) -> Processed:
    start = time.perf_counter()
    raster = images.decode(path, job.page, limits)
    decoded = time.perf_counter()
    params = SegmentationParams.from_dict(job.params)
    output = predict(raster.pixels, params, engine)
    result = delineate(raster.pixels, output, params)
    segmented = time.perf_counter()
    labels_png = label_png.encode(result.labels)
    thumbnail = rendering.thumbnail(raster, result.spheroids)
    maps = output.pack()
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
        quality=result.quality,
    )
