"""Previews: within the memory and the cores of the jobs, answered by their deadline."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.errors import AppBusy, ImageTooLarge
from core.files.blobs import Blobs
from core.images.memory import segmenting_bytes
from core.models import Image, Limits, Project
from core.queue import previews
from core.queue.admission import Admission
from core.queue.cpu_slots import CpuSlots
from core.queue.previews import Previews
from core.queue.resources import ComputeResources
from core.store import NewImage, Recipe, Store
from tests import corpus
from tests.engines import ENGINES
from tests.factories import new_image
from tests.polling import wait_until

RECIPE = Recipe("classical", "", {})
LONG = 60.0


@pytest.fixture
def image(store: Store, blobs: Blobs, project: Project) -> Image:
    data = corpus.png(corpus.spheroid((200, 200)))
    facts = new_image("a").facts
    row = NewImage("a", "a.png", blobs.put(data), len(data), facts, blobs.put(b"thumbnail"))
    store.add_images(project.id, (row,), None)
    return store.images.get("a")


class Lab:
    """Makes previews that are closed at the end."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store, self._blobs = store, blobs
        self.made: list[Previews] = []

    def previews(
        self, admission: Admission, cpu_slots: CpuSlots | None = None, deadline_seconds: float = LONG
    ) -> Previews:
        resources = ComputeResources(ENGINES, Limits(), admission, cpu_slots or CpuSlots(1))
        made = Previews(self._store, self._blobs, resources, deadline_seconds)
        self.made.append(made)
        return made


@pytest.fixture
def lab(store: Store, blobs: Blobs) -> Iterator[Lab]:
    made = Lab(store, blobs)
    yield made
    for one in made.made:
        one.close()


def test_a_preview_holds_its_memory_and_a_core_while_it_segments(
    lab: Lab, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission, slots = Admission(2**40), CpuSlots(1, LONG)
    seen: list[tuple[int, bool]] = []
    real = previews.delineate

    def watched(*arguments: object) -> object:
        free = slots._free.acquire(blocking=False)
        seen.append((admission.held_bytes, free))
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(previews, "delineate", watched)
    assert len(lab.previews(admission, slots).segment(image, RECIPE).spheroids) == 1
    assert seen == [(segmenting_bytes(image), False)]
    assert admission.held_bytes == 0


def test_a_preview_waits_for_memory_and_is_refused_in_words(lab: Lab, image: Image) -> None:
    admission = Admission(segmenting_bytes(image), timeout_seconds=0.01)
    made = lab.previews(admission)
    with admission.hold(segmenting_bytes(image), "another.tif"), pytest.raises(AppBusy, match="busy"):
        made.segment(image, RECIPE)
    assert len(made.segment(image, RECIPE).spheroids) == 1


def test_a_preview_that_never_fits_is_refused_with_what_to_change(lab: Lab, image: Image) -> None:
    with pytest.raises(ImageTooLarge, match="CONTAINER_MEMORY_LIMIT_MB"):
        lab.previews(Admission(2**20)).segment(image, RECIPE)


def test_at_its_deadline_the_person_gets_an_answer_and_the_memory_stays_held(
    lab: Lab, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, admission = threading.Event(), Admission(2**40)
    real = previews.delineate

    def slow(*arguments: object) -> object:
        assert door.wait(LONG)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(previews, "delineate", slow)
    made = lab.previews(admission, deadline_seconds=0.5)
    with pytest.raises(AppBusy, match="not ready after"):
        made.segment(image, RECIPE)
    wait_until(lambda: admission.held_bytes == segmenting_bytes(image))  # its thread is still at it
    assert not made.close()
    door.set()
    wait_until(lambda: admission.held_bytes == 0)
    wait_until(made.close)
