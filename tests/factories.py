"""Rows, results and spheroids that are made up, not computed, for tests of what stores them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from core.models import MEASUREMENTS, Contour, Image, Job, PageFacts, Spheroid, Upload
from core.monitoring import HIT, MISS, Kind, Recorder
from core.queue.task import Processed
from core.services import Services
from core.store import NewImage, NewUpload, Recipe, Store, UploadBatch
from core.store.results import Result

ENGINE = "fake"
RECIPE = Recipe(ENGINE, "1", {"sensitivity": 0.5})
SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
DIGEST = "0" * 64


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def new_image(key: str, name: str | None = None, um_per_px: float | None = None, page: int = 1) -> NewImage:
    """One page of a file that exists only in words."""
    facts = PageFacts(page, 640, 480, 1, "uint16", 12, um_per_px, "ResolutionUnit" if um_per_px else None)
    return NewImage(key, name or f"{key}.tif", digest(key), 1234, facts, digest(f"thumbnail of {key}"))


def add(store: Store, project_id: str, *keys: str, recipe: Recipe | None = None) -> tuple[str, ...]:
    """Add images by their ids; queue them where there is a recipe."""
    return store.add_images(project_id, tuple(new_image(key) for key in keys), recipe)


def spheroid(number: int = 1, **measured: float | int | bool | None) -> Spheroid:
    """A spheroid whose every measurement differs from the others, but for those given."""
    values: dict[str, float | int | bool | None] = {
        column.name: number * 100 + index + 0.5 for index, column in enumerate(MEASUREMENTS)
    }
    values |= {"area": 100 * number, "bbox_x": 1, "bbox_y": 2, "bbox_width": 10, "bbox_height": 11}
    values |= {"touches_border": False, "n_holes": 0} | measured
    return Spheroid(number, Contour(SQUARE), values)


def result(*spheroids: Spheroid) -> Result:
    return Result(ENGINE, "1", {"sensitivity": 0.5}, spheroids, digest("labels"), DIGEST, {"predict": 1500.0})


def processed(text: str = "", spheroids: Sequence[Spheroid] = ()) -> Processed:
    """What a worker hands back; ``text`` makes its files differ from those of others."""
    files = (f"labels {text}".encode(), f"thumbnail {text}".encode(), f"maps {text}".encode())
    return Processed(ENGINE, "1", {}, tuple(spheroids), *files, 0.9, {"predict": 2.0})


def claim(store: Store) -> Job:
    """Take the next job; there must be one."""
    job = store.jobs.claim("boot", "worker 1")
    assert job is not None
    return job


def finish(store: Store, image_id: str, *spheroids: Spheroid, recipe: Recipe = RECIPE) -> Image:
    """Segment one image in no time; nothing else may be waiting."""
    store.jobs.enqueue(store.images.get(image_id).project_id, [image_id], recipe)
    job = claim(store)
    assert job.image_id == image_id
    assert store.results.finish(job, replace(result(*spheroids), engine=recipe.engine))
    return store.images.get(image_id)


def record_lookups(recorder: Recorder, name: str, hits: int, misses: int = 0) -> None:
    """Record lookups in a cache."""
    for outcome in [HIT] * hits + [MISS] * misses:
        recorder.record(Kind.CACHE, name, 0.0, outcome)


def upload(services: Services, project_id: str, path: str, data: bytes, batch: str = "dropped") -> Upload:
    """Send one file as the browser does, in one piece."""
    (declared,) = services.uploads.declare(project_id, UploadBatch(batch), [NewUpload(path, path, len(data))])
    part = services.uploads.open_part(declared, 0)
    part.write(data)
    services.uploads.close_part(declared, part)
    return services.uploads.finish(declared)
