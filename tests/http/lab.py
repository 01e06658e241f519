"""A lab's data for tests: projects, images and results that are made up, not computed."""

from __future__ import annotations

import hashlib
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from core.errors import SpheroscopeError
from core.files.blobs import Blobs
from core.ingest import image_id
from core.models import MEASUREMENTS, Contour, Image, Job, Limits, Project, Spheroid
from core.store import NewImage, Recipe, Store
from core.store.results import Result
from tests import corpus

RECIPE = Recipe("classical", "3", {"b": 1, "a": "µ"})
MASK = corpus.png(np.array([[0, 1], [2, 0]], np.uint16))
OUTLINED = corpus.png(np.full((4, 6), 200, np.uint8))
RAW = corpus.png(np.full((4, 6), 90, np.uint8))


class Lab:
    """Fills a store. Nothing may be working on its queue."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self.store = store
        self.blobs = blobs

    def project(self, name: str = "Plate 1", um_per_px: float | None = None) -> Project:
        return self.store.projects.create(name, RECIPE.engine, um_per_px)

    def image(self, project: Project, name: str, data: bytes | None = None) -> Image:
        """Add every page of a file; return the first."""
        ids = self.store.add_images(project.id, self.pages(project.id, name, data), None)
        return self.store.images.get(ids[0])

    def pages(self, project_id: str, name: str, data: bytes | None = None) -> tuple[NewImage, ...]:
        """Every page of a file, its bytes stored."""
        data = corpus.png(corpus.noise(seed=len(name))) + name.encode() if data is None else data
        pages = corpus.inspect(data, Limits())
        sha256 = self.blobs.put(data)
        return tuple(
            NewImage(
                id=image_id(project_id, sha256, facts.page),
                name=f"{name}#{facts.page}" if len(pages) > 1 else name,
                sha256=sha256,
                n_bytes=len(data),
                facts=facts,
                thumbnail_sha256=self.blobs.put(RAW),
            )
            for facts in pages
        )

    def measured(
        self, image: Image, *spheroids: Spheroid, recipe: Recipe = RECIPE, mask: bytes = MASK
    ) -> Image:
        """Give an image a result."""
        job = self._claimed(image, recipe)
        assert self.store.results.finish(
            job,
            Result(
                engine=recipe.engine,
                engine_version=recipe.engine_version,
                params=dict(recipe.params),
                spheroids=spheroids,
                labels_sha256=self.blobs.put(mask),
                thumbnail_sha256=self.blobs.put(OUTLINED),
                timings_ms={"decode": 1.5, "predict": 2.0},
            ),
        )
        return self.store.images.get(image.id)

    def failed(self, image: Image, error: SpheroscopeError) -> Image:
        self.store.jobs.fail(self._claimed(image, RECIPE), error)
        return self.store.images.get(image.id)

    def _claimed(self, image: Image, recipe: Recipe) -> Job:
        assert self.store.jobs.enqueue(image.project_id, [image.id], recipe) == 1
        job = self.store.jobs.claim("boot", "worker 1")
        assert job is not None
        assert job.image_id == image.id
        return job


def disc(number: int = 1, radius: float = 10.0, **values: float | bool | None) -> Spheroid:
    """A round spheroid; measurements that are not given are 1."""
    area = round(pi * radius**2)
    given = {"area": area, "equivalent_diameter": sqrt(4 * area / pi), "touches_border": False, "n_holes": 0}
    measurements = {column.name: 1.0 for column in MEASUREMENTS} | given
    measurements |= {"bbox_x": 3, "bbox_y": 4, "bbox_width": 20, "bbox_height": 20} | values
    missing = {name: "it could not be computed" for name, value in values.items() if value is None}
    ring = ((10.0, 5.5), (20.0, 5.5), (20.0, 15.5), (10.0, 15.5))
    return Spheroid(number, Contour(ring, (ring[:3],)), measurements, missing)


def spheroid_picture(side: int = 64) -> NDArray[np.generic]:
    return corpus.spheroid((side, side))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
