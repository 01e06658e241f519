"""Results of two recipes for one image, and a correction of it, saved by the queue's own threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.errors import VersionConflict
from core.files.blobs import Blobs
from core.models import ImageStatus, Job, Project, Version, VersionKind
from core.queue.admission import Admission
from core.queue.executor import ThreadExecutor
from core.queue.job_queue import JobQueue
from core.queue.slots import QueueRules
from core.queue.task import Processed
from core.store import NewImage, Recipe, Store
from core.store.results import Correction
from tests.factories import new_image, processed, result, spheroid
from tests.polling import wait_until

pytestmark = pytest.mark.slow

EARLIER, LATER = "earlier", "later"
N_OBJECTS = {EARLIER: 1, LATER: 2}
N_CORRECTED = 5
ROUNDS = pytest.mark.parametrize("rounds", [8, pytest.param(50, marks=pytest.mark.full)])


class Race:
    """One image after another, each with two recipes in work at the same time that end when they are let."""

    def __init__(self, store: Store, blobs: Blobs, project: Project) -> None:
        self.store, self.project = store, project
        self._blobs = blobs
        self._gates: dict[tuple[str, str], tuple[threading.Event, threading.Event]] = {}
        rules = QueueRules(slots=2)
        self.queue = JobQueue(store, blobs, ThreadExecutor(2), self._work, rules, Admission(2**40))

    def begin(self, image_id: str) -> None:
        """Add an image, request both recipes, and wait until both are in work."""
        sha256, thumbnail = (self._blobs.put(text.encode()) for text in (image_id, "thumbnail"))
        facts = new_image(image_id)
        image = NewImage(image_id, facts.name, sha256, 9, facts.facts, thumbnail)
        self.store.add_images(self.project.id, (image,), None)
        for engine in (EARLIER, LATER):
            self._gates[image_id, engine] = threading.Event(), threading.Event()
            self.store.jobs.enqueue(self.project.id, [image_id], Recipe(engine, "1", {}))
        self.queue.wake()
        for engine in (EARLIER, LATER):
            begun, _ = self._gates[image_id, engine]
            assert begun.wait(30), engine

    def let_end(self, image_id: str, engine: str) -> None:
        self._gates[image_id, engine][1].set()

    def end(self, image_id: str, engine: str) -> None:
        """Let one recipe end, and wait until its result is saved."""
        before = len(self.store.results.versions(image_id))
        self.let_end(image_id, engine)
        wait_until(lambda: len(self.store.results.versions(image_id)) > before, 30, f"{engine} to be saved")

    def correct(self, image_id: str) -> Version:
        """Correct what is in force, as a person does who looks again after a conflict."""
        while True:
            image = self.store.images.get(image_id)
            objects = [spheroid(number + 1) for number in range(N_CORRECTED)]
            correction = Correction("Ada", "The rim was missed.", image.version_id)
            try:
                return self.store.results.add_version(
                    image_id, result(*objects), correction, image.version_id
                )
            except VersionConflict:
                continue

    def wait_until_ended(self) -> None:
        wait_until(lambda: self.store.jobs.totals().left == 0, 30, "both jobs to end")

    def _work(self, _path: Path, job: Job) -> Processed:
        begun, go_on = self._gates[job.image_id, job.engine]
        begun.set()
        assert go_on.wait(30)
        objects = [spheroid(number + 1) for number in range(N_OBJECTS[job.engine])]
        return replace(processed(f"{job.image_id} {job.engine}", objects), engine=job.engine)


@pytest.fixture
def race(store: Store, blobs: Blobs, project: Project) -> Iterator[Race]:
    made = Race(store, blobs, project)
    made.queue.start()
    yield made
    assert made.queue.drain(10)


def check_in_force(race: Race, image_id: str, kind: VersionKind, n_objects: int, n_versions: int) -> None:
    """One version is in force, the image repeats its numbers, and every other one is superseded."""
    image = race.store.images.get(image_id)
    assert (image.status, image.n_objects) == (ImageStatus.DONE, n_objects)
    versions = race.store.results.versions(image_id)
    assert len(versions) == n_versions
    (in_force,) = (version for version in versions if version.superseded_at is None)
    assert (in_force.id, in_force.kind) == (image.version_id, kind)
    stored = race.store.results.get(image)
    assert stored is not None
    assert len(stored[1]) == n_objects


@pytest.mark.parametrize("order", [(EARLIER, LATER), (LATER, EARLIER)], ids="-".join)
def test_the_later_request_is_in_force_in_both_finishing_orders(race: Race, order: tuple[str, str]) -> None:
    race.begin("a")
    race.end("a", order[0])
    expected = ImageStatus.RUNNING if order[0] == EARLIER else ImageStatus.DONE
    wait_until(lambda: race.store.images.get("a").status is expected, 10, expected.value)
    race.end("a", order[1])
    race.wait_until_ended()
    check_in_force(race, "a", VersionKind.AUTOMATIC, N_OBJECTS[LATER], n_versions=2)


@pytest.mark.parametrize("order", [(EARLIER, LATER), (LATER, EARLIER)], ids="-".join)
@pytest.mark.parametrize("n_ended", [0, 1], ids=["before both", "between them"])
def test_a_correction_made_meanwhile_stays_in_force(race: Race, order: tuple[str, str], n_ended: int) -> None:
    race.begin("a")
    for engine in order[:n_ended]:
        race.end("a", engine)
    corrected = race.correct("a")
    for engine in order[n_ended:]:
        race.end("a", engine)
    race.wait_until_ended()
    check_in_force(race, "a", VersionKind.CORRECTED, N_CORRECTED, n_versions=3)
    assert race.store.images.get("a").version_id == corrected.id


def all_at_once(*acts: Callable[[], object]) -> None:
    """Run every function in a thread of its own, all begun at the same moment."""
    start = threading.Barrier(len(acts), timeout=30)

    def run(act: Callable[[], object]) -> None:
        start.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        for future in [pool.submit(run, act) for act in acts]:
            future.result()


@ROUNDS
def test_results_that_end_at_the_same_moment(race: Race, rounds: int) -> None:
    for number in range(rounds):
        image_id = f"image {number}"
        race.begin(image_id)
        all_at_once(*(partial(race.let_end, image_id, engine) for engine in (EARLIER, LATER)))
        race.wait_until_ended()
        check_in_force(race, image_id, VersionKind.AUTOMATIC, N_OBJECTS[LATER], n_versions=2)


@ROUNDS
def test_a_correction_at_the_same_moment_as_both_results(race: Race, rounds: int) -> None:
    for number in range(rounds):
        image_id = f"image {number}"
        race.begin(image_id)
        all_at_once(
            partial(race.let_end, image_id, EARLIER),
            partial(race.let_end, image_id, LATER),
            partial(race.correct, image_id),
        )
        race.wait_until_ended()
        check_in_force(race, image_id, VersionKind.CORRECTED, N_CORRECTED, n_versions=3)
