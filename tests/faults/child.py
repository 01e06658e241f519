"""A process to be killed: it works on a data folder as the app does, with work that only takes time.

It says "ready" when its queue runs and the ids of what it has stored, and ends with 0 when nothing is left to
do, or when SIGTERM has told it to.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from core.db import Database, Session
from core.db.writer import Writer
from core.files.blobs import Blobs
from core.ingest import Ingest
from core.models import Job, Limits
from core.monitoring import QueryRecorder
from core.queue.admission import Admission
from core.queue.executor import ThreadExecutor
from core.queue.job_queue import JobQueue
from core.queue.slots import QueueRules
from core.queue.task import Processed
from core.store import Store
from tests import corpus
from tests.factories import RECIPE, processed, spheroid

SLOTS = 4
HANGS_SECONDS = 3600.0
HUGE_BYTES = 6 * 2**30

# A server that has imported everything once gives birth to children in milliseconds.
NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(["tests.faults.child", "tests.faults.correcting_server"])


@dataclass(frozen=True)
class Plan:
    """What the child does; passing the point ``die_at`` of CUTS for the ``die_after``-th time, it dies."""

    seconds: float = 0.02  # of work on an image
    max_attempts: int = 1000  # a kill from outside is no fault of the image
    drain_seconds: float = 5.0
    deadline_seconds: float = 600.0
    memory_bytes: int = 0  # of address space, where it is limited
    uploads: int = 0  # files to take in, with an acknowledgement each
    upload_seed: int = 0
    die_at: str = ""
    die_after: int = 1


def objects_of(image_id: str) -> int:
    """How many spheroids the work finds in an image."""
    return sum(map(ord, image_id)) % 4


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _cut(
    owner: Any, name: str, when: Callable[..., bool], after: bool
) -> Callable[[Callable[[], None]], None]:
    """A point before or after the call ``owner.name``, where ``when`` says so of its arguments."""

    def install(passed: Callable[[], None]) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **keywords: Any) -> Any:
            here = when(*args)
            if here and not after:
                passed()
            value = real(*args, **keywords)
            if here and after:
                passed()
            return value

        setattr(owner, name, call)

    return install


def _always(*_: Any) -> bool:
    return True


def _statement(name: str) -> Callable[..., bool]:
    return lambda _session, statement, *_: statement == name


def _cuts() -> dict[str, Callable[[Callable[[], None]], None]]:
    return {
        "a file half written": _cut(os, "fsync", _always, after=False),
        "a file before its rename": _cut(Path, "replace", _always, after=False),
        "a file after its rename": _cut(Path, "replace", _always, after=True),
        "an image before its commit": _cut(Session, "rows", _statement("images.add"), after=True),
        "an image after its commit": _cut(Store, "add_images", _always, after=True),
        "a claim before its commit": _cut(Session, "rows", _statement("jobs.claim"), after=True),
        "a claim after its commit": _cut(Blobs, "path_of", _always, after=False),
        "a result before its commit": _cut(Session, "rows", _statement("images.set_in_force"), after=True),
        "a result half saved": _cut(Session, "append", _statement("results.add_objects"), after=True),
        "a result after its commit": _cut(JobQueue, "_saved", _always, after=False),
        "a checkpoint": _cut(Writer, "checkpoint", _always, after=False),
    }


CUTS = tuple(_cuts())


def _arm(plan: Plan) -> None:
    left = [plan.die_after]
    lock = threading.Lock()

    def passed() -> None:
        with lock:
            left[0] -= 1
            if left[0] == 0:
                die()

    _cuts()[plan.die_at](passed)


def _work(plan: Plan) -> Callable[[Path, Job], Processed]:
    def work(_path: Path, job: Job) -> Processed:
        if job.image_name == "poison":
            os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(HANGS_SECONDS if job.image_name == "hangs" else plan.seconds)
        if job.image_name == "huge":
            bytearray(HUGE_BYTES)
        number = objects_of(job.image_id)
        return processed(job.image_id, [spheroid(n) for n in range(1, number + 1)])

    return work


def _upload(plan: Plan, store: Store, ingest: Ingest, say: Connection) -> None:
    (project,) = store.projects.list()
    for number in range(plan.uploads):
        data = corpus.png(corpus.noise((16, 16), seed=plan.upload_seed + number))
        verdict = ingest.add(project.id, f"upload {plan.upload_seed + number}.png", data, RECIPE)
        say.send_bytes(verdict.image_ids[0].encode())


def main(folder: Path, plan: Plan, say: Connection) -> None:
    """Work as ``plan`` says."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if plan.memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (plan.memory_bytes, plan.memory_bytes))
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(folder)
    if plan.die_at:
        _arm(plan)
    rules = QueueRules(SLOTS, plan.max_attempts, plan.deadline_seconds)
    queue = JobQueue(store, blobs, ThreadExecutor(SLOTS), _work(plan), rules, Admission(2**40))
    queue.start()
    say.send_bytes(b"ready")
    _upload(plan, store, Ingest(store, blobs, Limits()), say)
    queue.wake()
    while not stop.wait(0.02) and store.jobs.totals().left:
        pass
    signal.signal(signal.SIGTERM, lambda *_: queue.stop_now())
    drained = queue.drain(plan.drain_seconds)
    db.close()
    if not drained:
        os._exit(0)  # whatever still runs would hold up the end
