"""Workers in processes of their own behind a real Dask scheduler: they segment, die, and are left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from core.clock import utc_now
from core.db import Database
from core.errors import WorkersUnavailable
from core.files.blobs import Blobs
from core.models import Job, JobState, Limits, Project
from core.queue import dask_executor
from core.queue.admission import Admission
from core.queue.cancellation import cancellation_hook
from core.queue.dask_executor import DaskExecutor
from core.queue.job_queue import JobQueue
from core.queue.resources import ComputeResources
from core.queue.slots import QueueRules
from core.queue.task import process, process_elsewhere
from core.segmentation import DEFAULT_ENGINE, Arithmetic, EngineRegistry
from core.store import NewImage, Recipe, Store
from tests import corpus
from tests.engines import ENGINES
from tests.factories import RECIPE, new_image
from tests.polling import wait_until
from tests.queue.dask_jobs import noted, poisoned, slowly, where
from tests.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
START_SECONDS = 200.0  # also on a busy machine: workers that died import everything anew


@contextmanager
def running(*command: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process with children of its own, all of which end with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def scheduler(port: int) -> Iterator[str]:
    """A scheduler that tells of every death, as docs/cluster.md advises."""
    command = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    with running(*command, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0"):
        yield f"tcp://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def address(port: int) -> Iterator[str]:
    """A scheduler with two workers, started as docs/cluster.md says."""
    with scheduler(port) as address, running("core", "worker", address, "--workers", str(WORKERS)):
        yield address


@pytest.fixture
def cluster(address: str) -> Iterator[DaskExecutor]:
    opened = DaskExecutor(address)
    wait_until(lambda: opened.workers == WORKERS, START_SECONDS, "the workers")
    yield opened
    opened.shutdown()


@pytest.fixture
def keys(store: Store, blobs: Blobs, project: Project) -> tuple[str, ...]:
    """Eight images that wait, the fourth of which is called poison.tif."""
    rows = []
    for number in range(8):
        row = new_image(f"{number}", "poison.tif" if number == 3 else None)
        rows.append(NewImage(row.id, row.name, blobs.put(row.id.encode()), 1, row.facts, blobs.put(b"t")))
    return store.add_images(project.id, tuple(rows), RECIPE)


@pytest.fixture
def begin(store: Store, blobs: Blobs, cluster: DaskExecutor) -> Iterator[Callable[..., JobQueue]]:
    """Start a queue on the cluster with some work."""
    begun: list[JobQueue] = []

    def start(work: Callable[..., object], slots: int = WORKERS) -> JobQueue:
        queue = JobQueue(store, blobs, cluster, work, QueueRules(slots), Admission(2**40))  # type: ignore[arg-type]
        queue.start()
        begun.append(queue)
        return queue

    yield start
    for queue in begun:
        queue.drain(5)


def counts(store: Store) -> dict[str, int]:
    return {state.value: count for state, count in store.jobs.totals().counts.items() if count}


def wait_until_ended(store: Store) -> None:
    wait_until(lambda: store.jobs.totals().left == 0, START_SECONDS, "all jobs to end")


def test_two_processes_share_the_work(
    store: Store, project: Project, keys: tuple[str, ...], begin: Callable[..., JobQueue]
) -> None:
    begin(where)
    wait_until_ended(store)
    assert counts(store) == {"done": len(keys)}
    pids = {row["area"] for row in store.results.objects(project.id, 100)}
    assert len(pids) == WORKERS
    assert os.getpid() not in pids


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_a_worker_finds_what_this_process_finds(
    store: Store, blobs: Blobs, project: Project, begin: Callable[..., JobQueue], precision: str
) -> None:
    data = corpus.png(corpus.spheroid((200, 200)))
    facts = new_image("real")
    row = NewImage("real", "real.png", blobs.put(data), len(data), facts.facts, blobs.put(b"t"))
    recipe = Recipe("unet", "1", {})
    store.add_images(project.id, (row,), recipe)
    (job,) = store.jobs.page(JobState.QUEUED).items
    begin(partial(process_elsewhere, limits=Limits(), keys=ENGINES.keys, precision=precision))
    wait_until_ended(store)
    there = store.results.get(store.images.get("real"))
    path = blobs.path_of(row.sha256)
    here, otherwise = (
        process(path, job, ComputeResources(EngineRegistry.shipped(Arithmetic(precision=name))))
        for name in (precision, {"bfloat16": "float32", "float32": "bfloat16"}[precision])
    )
    assert there is not None
    assert there[0].maps_sha256 is not None
    assert blobs.get(there[0].maps_sha256) == here.maps != otherwise.maps
    assert there[1] == here.spheroids
    assert blobs.get(there[0].labels_sha256) == here.labels_png


def test_a_worker_of_another_version_is_not_believed() -> None:
    with pytest.raises(WorkersUnavailable, match="another version"):
        process_elsewhere(b"", job_of_the_default_engine(), Limits(), {DEFAULT_ENGINE: "0"}, "float32")


def job_of_the_default_engine() -> Job:
    texts = dict.fromkeys(("id", "image_id", "project_id", "image_name", "sha256"), "")
    numbers = {"page": 1, "sequence": 1, "request": 1, "attempt": 1}
    return Job(
        **texts,
        **numbers,
        state=JobState.RUNNING,
        suspect=False,
        engine=DEFAULT_ENGINE,
        params={},
        created_at=utc_now(),
    )


def test_a_cancelled_job_frees_its_slot_at_once_and_its_task_is_withdrawn(
    db: Database, store: Store, keys: tuple[str, ...], begin: Callable[..., JobQueue], tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    slots = 3 * WORKERS  # more than there are workers: the rest waits for one of them
    queue = begin(partial(noted, folder=str(begun), seconds=3.0), slots)
    db.add_commit_hook(partial(cancellation_hook, queue.cancel_running))
    wait_until(
        lambda: queue.state().running == slots and len(list(begun.iterdir())) == WORKERS, START_SECONDS
    )
    assert store.jobs.cancel() == len(keys)
    wait_until(lambda: queue.state().running == 0, 2, "the slots to be free while workers are still at it")
    assert counts(store) == {"cancelled": len(keys)}
    store.jobs.enqueue(store.projects.list()[0].id, keys[-1:], RECIPE)
    queue.wake()
    wait_until_ended(store)
    assert counts(store) == {"cancelled": len(keys) - 1, "done": 1}
    assert {path.name for path in begun.iterdir()} < set(keys), "what waited for a worker never began"
    assert len(list(begun.iterdir())) == WORKERS + 1
    assert store.results.size(store.projects.list()[0].id).objects == 1


def test_the_jobs_of_a_worker_that_is_killed_are_run_by_others(
    store: Store, cluster: DaskExecutor, keys: tuple[str, ...], begin: Callable[..., JobQueue]
) -> None:
    begin(slowly)
    wait_until(lambda: counts(store).get("running") == WORKERS, START_SECONDS)
    assert cluster._client is not None
    victim = next(iter(cluster._client.run(os.getpid).values()))
    os.kill(victim, signal.SIGKILL)
    wait_until_ended(store)
    assert counts(store) == {"done": len(keys)}
    assert store.results.size(store.projects.list()[0].id).objects == len(keys)


def test_an_image_that_kills_its_worker_is_failed_and_stops_no_other(
    store: Store, keys: tuple[str, ...], begin: Callable[..., JobQueue]
) -> None:
    queue = begin(poisoned)
    wait_until_ended(store)
    assert counts(store) == {"done": len(keys) - 1, "failed": 1}
    assert store.images.get(keys[3]).error_code == "crashed_repeatedly"
    deaths = [span for span in queue.timeline.latest() if span.image_id == keys[3]]
    assert len(deaths) == 3


def test_a_lost_scheduler_pauses_the_queue_and_it_goes_on_by_itself(
    store: Store, blobs: Blobs, keys: tuple[str, ...]
) -> None:
    port = free_port()
    cluster = DaskExecutor(f"tcp://127.0.0.1:{port}")
    queue = JobQueue(store, blobs, cluster, slowly, QueueRules(WORKERS), Admission(2**40))
    queue.start()
    assert "cannot be reached" in (queue.state().problem or "")
    with running("core", "worker", f"tcp://127.0.0.1:{port}", "--workers", str(WORKERS)):
        with scheduler(port):
            wait_until(lambda: counts(store).get("done", 0) >= 2, START_SECONDS)
        wait_until(lambda: queue.state().problem is not None, START_SECONDS)
        wait_until(lambda: "running" not in counts(store), START_SECONDS)
        waiting = store.jobs.page(JobState.QUEUED).items
        assert waiting
        assert all((job.attempt, job.crashes) == (0, 0) for job in waiting)
        with scheduler(port):
            wait_until_ended(store)
            assert queue.drain(10)
    assert counts(store) == {"done": len(keys)}


def test_an_error_that_was_not_foreseen_does_not_end_the_thread_that_connects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without that thread the queue would pause for ever, and nothing would say why."""
    errors = iter([ValueError("an error of Dask's own"), RuntimeError("another")])

    class Client:
        status = "running"

        def __init__(self, *_: object, **__: object) -> None:
            if (error := next(errors, None)) is not None:
                raise error

        def nthreads(self) -> dict[str, int]:
            if (error := next(errors, None)) is not None:
                raise error
            return {"worker": 1}

        def close(self, timeout: float) -> None:
            pass

    monkeypatch.setattr(dask_executor, "Client", Client)
    monkeypatch.setattr(dask_executor, "CHECK_SECONDS", 0.01)
    executor = DaskExecutor("tcp://127.0.0.1:1")
    try:
        wait_until(lambda: executor.problem is None, what="a connection after two errors")
    finally:
        executor.shutdown()
