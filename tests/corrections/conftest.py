"""An image with two spheroids on a drawn picture, and the desk that corrects it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.corrections.corrections import Corrections
from core.corrections.source import CorrectionSource
from core.files.blobs import Blobs
from core.images import label_png
from core.models import Image, Limits, Project
from core.queue.admission import Admission
from core.segmentation import describe
from core.segmentation.engines.click_network import ClickNetwork
from core.store import Recipe, Store
from core.store.results import Result
from tests import corpus
from tests.factories import claim
from tests.http.lab import Lab

SIDE = 96
RECIPE = Recipe("classical", "3", {})


def labels() -> np.ndarray:
    """Two discs: 1 of radius 20 at (30, 40), 2 of radius 12 at (72, 60)."""
    rows, columns = np.indices((SIDE, SIDE))
    found = np.zeros((SIDE, SIDE), np.int32)
    for number, (x, y, radius) in enumerate([(30, 40, 20), (72, 60, 12)], start=1):
        found[np.hypot(rows + 0.5 - y, columns + 0.5 - x) <= radius] = number
    return found


def pixels() -> np.ndarray:
    return np.where(labels() > 0, 40, 200).astype(np.uint8)


def automatic(blobs: Blobs, found: np.ndarray) -> Result:
    spheroids = describe(found, pixels())
    return Result(
        engine=RECIPE.engine,
        engine_version=RECIPE.engine_version,
        params={},
        spheroids=spheroids,
        labels_sha256=blobs.put(label_png.encode(found)),
        thumbnail_sha256=blobs.put(b"thumbnail"),
        timings_ms={"predict": 2.0},
        confidence=0.95,
    )


@pytest.fixture
def segment(store: Store, blobs: Blobs) -> Callable[[Image], Image]:
    """Segment an image as the queue does, with the two discs as the result."""

    def act(image: Image) -> Image:
        store.jobs.enqueue(image.project_id, [image.id], RECIPE)
        assert store.results.finish(claim(store), automatic(blobs, labels()))
        return store.images.get(image.id)

    return act


@pytest.fixture
def image(store: Store, blobs: Blobs, project: Project, segment: Callable[[Image], Image]) -> Image:
    return segment(Lab(store, blobs).image(project, "a.png", corpus.png(pixels())))


@pytest.fixture
def desk(store: Store, blobs: Blobs) -> Corrections:
    return new_desk(store, blobs)


def new_desk(store: Store, blobs: Blobs) -> Corrections:
    """A desk that knows of nothing but what is stored, as after a restart."""
    source = CorrectionSource(store, blobs, Limits(), Admission(2**30))
    return Corrections(store, source, ClickNetwork())
