"""Many at once, and for long: the same file from sixteen hands, a thousand jobs, a disk that refuses."""

from __future__ import annotations

import errno
import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.db import Database
from core.files.blobs import Blobs
from core.ingest import Ingest, UploadOutcome
from core.models import Job, JobState, Limits
from core.monitoring import QueryRecorder
from core.queue.admission import Admission
from core.queue.executor import ThreadExecutor
from core.queue.job_queue import JobQueue
from core.queue.slots import QueueRules
from core.queue.task import Processed
from core.store import NewImage, Store
from tests import corpus
from tests.factories import ENGINE, RECIPE, new_image, processed, spheroid
from tests.faults import oracle
from tests.polling import wait_until

FULL = pytest.mark.full


def instant(_path: Path, job: Job) -> Processed:
    return processed(job.image_id, [spheroid()])


def queue_on(store: Store, blobs: Blobs, work: Any = instant) -> JobQueue:
    queue = JobQueue(store, blobs, ThreadExecutor(4), work, QueueRules(4), Admission(2**40))
    queue.start()
    return queue


def test_the_same_file_from_sixteen_hands_is_one_image_and_one_job(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(tmp_path)
    project, data = store.projects.create("Rush", ENGINE), corpus.png(corpus.noise())
    ingest = Ingest(store, blobs, Limits())

    def hand(number: int) -> list[UploadOutcome]:
        names = [f"{number} {turn}.png" for turn in range(25)]
        return [ingest.add(project.id, name, data, RECIPE).outcome for name in names]

    with ThreadPoolExecutor(16) as pool:
        outcomes = [outcome for verdicts in pool.map(hand, range(16)) for outcome in verdicts]
    assert (outcomes.count(UploadOutcome.STORED), outcomes.count(UploadOutcome.PRESENT)) == (1, 399)
    assert store.jobs.totals().counts[JobState.QUEUED] == 1
    assert store.projects.get(project.id).n_images == 1
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 2  # and its thumbnail
    db.close()


class NthRefused:
    """Lets the disk refuse once: at the n-th time that a file is made safe or put in its place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
        self.left = nth
        for owner, name in ((os, "fsync"), (Path, "replace")):
            monkeypatch.setattr(owner, name, self._refusing(getattr(owner, name)))

    def _refusing(self, real: Any) -> Any:
        def call(*args: Any, **keywords: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **keywords)

        return call


@pytest.mark.parametrize("nth", [1, 2, 5, 8, 14, *(pytest.param(n, marks=FULL) for n in range(15, 41))])
def test_a_disk_that_refuses_once_loses_nothing_whenever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    monkeypatch.setattr("core.queue.job_queue.completion.RETRY_SECONDS", 0.02)
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(tmp_path)
    project, ingest = store.projects.create("Full", ENGINE), Ingest(store, blobs, Limits())
    queue = queue_on(store, blobs)
    disk = NthRefused(monkeypatch, nth)
    for number in range(4):
        data = corpus.png(corpus.noise(seed=number))
        first = ingest.add(project.id, f"{number}.png", data, RECIPE)
        if first.outcome is UploadOutcome.REFUSED:
            assert first.code == "storage_error"
            assert ingest.add(project.id, f"{number}.png", data, RECIPE).outcome is UploadOutcome.STORED
        queue.wake()
    wait_until(lambda: store.jobs.totals().left == 0, 20, "all jobs to end")
    assert queue.drain(10)
    db.close()
    assert oracle.check(tmp_path) == {"done": 4}
    assert disk.left <= 0 or nth > 14, "it never came to the refusal"


@FULL
def test_four_hundred_jobs_of_eight_errors_leave_four_workers(tmp_path: Path) -> None:
    kinds = (
        SystemExit,
        KeyboardInterrupt,
        MemoryError,
        ValueError,
        RecursionError,
        OSError,
        GeneratorExit,
        KeyError,
    )
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(tmp_path)
    fill(store, blobs, 400)

    def work(path: Path, job: Job) -> Processed:
        number = int(job.image_id)
        if number % 2:
            raise kinds[number // 2 % len(kinds)]
        return instant(path, job)

    queue = queue_on(store, blobs, work)
    wait_until(lambda: store.jobs.totals().left == 0, 120, "all jobs to end")
    wait_until(lambda: queue._workers.is_idle, what="all workers to be back, none of them lost")
    assert queue.drain(5)
    db.close()
    assert oracle.check(tmp_path) == {"done": 200, "failed": 200}


@FULL
def test_a_thousand_jobs_leave_the_memory_as_it_was(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder(), memory_mb=256)
    store, blobs = Store(db), Blobs(tmp_path)
    fill(store, blobs, 1200)
    queue = queue_on(store, blobs)
    wait_until(lambda: store.jobs.totals().counts[JobState.DONE] >= 200, 120)
    gc.collect()
    before = psutil.Process().memory_info().rss
    wait_until(lambda: store.jobs.totals().left == 0, 240, "all jobs to end")
    gc.collect()
    grown = (psutil.Process().memory_info().rss - before) / 2**20
    assert queue.drain(5)
    db.close()
    print(f"1,000 jobs: {grown:+.1f} MB")
    assert grown < 50


def fill(store: Store, blobs: Blobs, count: int) -> None:
    project, thumbnail = store.projects.create("Many", ENGINE), blobs.put(b"thumbnail")
    sha256 = blobs.put(b"pixels")
    rows = [
        NewImage(f"{n:04}", f"{n:04}.tif", sha256, 6, new_image("x").facts, thumbnail) for n in range(count)
    ]
    store.add_images(project.id, tuple(rows), RECIPE)
