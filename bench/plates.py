"""Projects of any size for benchmarks, put into a data folder at once: images are noise, results are said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from core import images
from core.db import Database
from core.files.blobs import Blobs
from core.images import label_png
from core.ingest import image_id
from core.models import Limits, Spheroid
from core.monitoring import QueryRecorder, Recorder
from core.segmentation import DEFAULT_ENGINE, describe
from core.store import NewImage, Recipe, Store
from core.store.results import Result

SIDE_PX = 1600  # 16 bits: 5 MB an image


def noise_tiffs(count: int, side_px: int = SIDE_PX) -> Iterator[bytes]:
    """TIFF files of 16-bit noise, which cannot be packed; no two are alike."""
    pixels = np.random.default_rng(1).integers(0, 4096, (side_px, side_px)).astype(np.uint16)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 1]
    for number in range(count):
        pixels[0, :2] = divmod(number, 4096)
        yield bytes(cv2.imencode(".tif", pixels, options)[1])


def plate(data: Path, name: str, n_images: int, spheroids_each: int, side_px: int = SIDE_PX) -> str:
    """Make a project of segmented images in the data folder, which no app may be using; returns its id."""
    db = Database.open(data / "spheroscope.duckdb", QueryRecorder(Recorder()))
    try:
        store, blobs = Store(db), Blobs(data)
        project = store.projects.create(name, DEFAULT_ENGINE, um_per_px=1.0)
        result = _result(blobs, side_px, spheroids_each)
        for number, file in enumerate(noise_tiffs(n_images, side_px)):
            _add(store, blobs, project.id, f"well {number:04d}.tif", file)
            job = store.jobs.claim("bench", "bench")
            assert job is not None
            assert store.results.finish(job, result)
    finally:
        db.close()
    return project.id


def _add(store: Store, blobs: Blobs, project_id: str, name: str, file: bytes) -> None:
    sha256 = hashlib.sha256(file).hexdigest()
    path = blobs.path(sha256)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(file)  # Blobs.put would wait for the disk each time
    (facts,) = images.inspect(path, Limits())
    new = NewImage(image_id(project_id, sha256, facts.page), name, sha256, len(file), facts, sha256)
    store.add_images(project_id, (new,), Recipe(DEFAULT_ENGINE, "1", {}))


def _result(blobs: Blobs, side_px: int, count: int) -> Result:
    """Discs in rows; the same for every image."""
    labels, described = _discs(side_px, min(count, 100))
    spheroids = tuple(
        Spheroid(number + 1, item.contour, item.measurements, item.reasons)
        for number in range(count)
        for item in (described[number % len(described)],)
    )
    mask = blobs.put(label_png.encode(labels))
    return Result(DEFAULT_ENGINE, "1", {}, spheroids, mask, mask, {"predict": 1.0})


def _discs(side_px: int, count: int) -> tuple[np.ndarray, tuple[Spheroid, ...]]:
    per_row = int(np.ceil(np.sqrt(count)))
    step = side_px / per_row
    labels = np.zeros((side_px, side_px), np.int32)
    for number in range(count):
        centre = (int((number % per_row + 0.5) * step), int((number // per_row + 0.5) * step))
        cv2.circle(labels, centre, int(0.35 * step), number + 1, -1)
    return labels, tuple(describe(labels, np.ones((side_px, side_px), np.uint16)))
