"""The queue: jobs overlap, fail, come back, are cancelled and survive; its workers outlive all they run."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.clock import utc_now
from core.db import Database, Session
from core.errors import BlobMissing, DatabaseOutOfMemory, ImageUnreadable, SegmentationError, StorageError
from core.files.blobs import Blobs
from core.models import ImageStatus, Job, JobState, Project
from core.queue.admission import PLACE_SECONDS, Admission
from core.queue.executor import ThreadExecutor
from core.queue.job_queue import JobQueue, Work
from core.queue.slots import QueueRules
from core.queue.task import Processed
from core.store import NewImage, Store
from tests.factories import RECIPE, claim, new_image, processed, spheroid
from tests.polling import wait_until

pytestmark = pytest.mark.slow

SLOTS = 4


class Lab:
    """A project of images with real files, and queues that work on them."""

    def __init__(self, store: Store, blobs: Blobs, project: Project) -> None:
        self.store, self.blobs, self.project = store, blobs, project

    def add(self, *keys: str, queued: bool = True) -> None:
        made = []
        for key in keys:
            facts = new_image(key)
            sha256 = self.blobs.put(f"pixels of {key}".encode())
            made.append(NewImage(key, facts.name, sha256, 9, facts.facts, self.blobs.put(b"thumbnail")))
        self.store.add_images(self.project.id, tuple(made), RECIPE if queued else None)

    @contextmanager
    def queue(
        self, work: Work, *, slots: int = SLOTS, admission: Admission | None = None, **rules: Any
    ) -> Iterator[JobQueue]:
        executor = ThreadExecutor(slots)
        admission = admission or Admission(2**40)
        queue = JobQueue(self.store, self.blobs, executor, work, QueueRules(slots, **rules), admission)
        queue.start()
        try:
            yield queue
        finally:
            queue.drain(5)

    def jobs(self, state: JobState) -> dict[str, Job]:
        return {job.image_id: job for job in self.store.jobs.page(state, limit=10_000).items}

    def counts(self) -> dict[str, int]:
        totals = self.store.jobs.totals().counts
        return {state.value: count for state, count in totals.items() if count}

    def wait_until_ended(self, seconds: float = 60) -> None:
        wait_until(lambda: self.store.jobs.totals().left == 0, seconds, "all jobs to end")


@pytest.fixture
def lab(store: Store, blobs: Blobs, project: Project) -> Lab:
    return Lab(store, blobs, project)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.queue.job_queue.completion.RETRY_SECONDS", 0.05)


def instant(_path: Path, job: Job) -> Processed:
    return processed(job.image_id, [spheroid()])


class Gate:
    """Work that begins, is seen to have begun, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._open = threading.Event()

    def __call__(self, path: Path, job: Job) -> Processed:
        self.begun.append(job.image_id)
        assert self._open.wait(120)
        return instant(path, job)

    def open(self) -> None:
        self._open.set()


# Working


def test_every_image_is_segmented_once_from_its_own_bytes(lab: Lab) -> None:
    seen: list[tuple[bytes, str]] = []

    def work(path: Path, job: Job) -> Processed:
        seen.append((path.read_bytes(), job.image_id))
        return instant(path, job)

    keys = [f"{number:02}" for number in range(24)]
    lab.add(*keys)
    with lab.queue(work):
        lab.wait_until_ended()
    assert sorted(seen) == [(f"pixels of {key}".encode(), key) for key in keys]
    assert lab.counts() == {"done": 24}
    for key in keys:
        image = lab.store.images.get(key)
        assert (image.status, image.n_objects) == (ImageStatus.DONE, 1)
        segmentation = lab.store.results.segmentation(image)
        assert segmentation is not None
        assert lab.blobs.get(segmentation.labels_sha256) == f"labels {key}".encode()
        assert lab.blobs.get(segmentation.thumbnail_sha256) == f"thumbnail {key}".encode()


def test_four_images_really_are_segmented_at_once(lab: Lab) -> None:
    meeting = threading.Barrier(SLOTS, timeout=20)

    def work(path: Path, job: Job) -> Processed:
        meeting.wait()  # only four at once get past it
        return instant(path, job)

    lab.add(*(f"{number}" for number in range(3 * SLOTS)))
    with lab.queue(work):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 3 * SLOTS}


def test_never_more_at_once_than_there_are_slots(lab: Lab) -> None:
    gate = Gate()
    lab.add(*"abcdefg")
    with lab.queue(gate, slots=2) as queue:
        wait_until(lambda: len(gate.begun) == 2)
        for _ in range(20):
            queue.wake()
        running = lab.jobs(JobState.RUNNING)
        assert sorted(running) == ["a", "b"]
        assert {job.worker for job in running.values()} == {"worker 1", "worker 2"}
        assert lab.counts() == {"running": 2, "queued": 5}
        gate.open()
        lab.wait_until_ended()
    assert gate.begun[:2] == ["a", "b"] or gate.begun[:2] == ["b", "a"]


def test_one_slot_works_in_the_order_of_asking(lab: Lab) -> None:
    gate = Gate()
    gate.open()
    lab.add(*"cabed")
    with lab.queue(gate, slots=1):
        lab.wait_until_ended()
    assert gate.begun == list("cabed")


def test_no_wake_up_is_lost_when_many_threads_ask(lab: Lab) -> None:
    keys = [f"{number:03}" for number in range(32)]
    lab.add(*keys, queued=False)
    with lab.queue(instant) as queue:

        def ask(part: int) -> None:
            for key in keys[part::8]:
                lab.store.jobs.enqueue(lab.project.id, [key], RECIPE)
                queue.wake()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
        lab.wait_until_ended()
    assert lab.counts() == {"done": 32}


def test_a_queue_at_rest_begins_as_soon_as_it_is_woken(lab: Lab) -> None:
    lab.add("first")
    with lab.queue(instant) as queue:
        lab.wait_until_ended()
        for number in range(10):
            lab.add(f"{number}")
            queue.wake()
            wait_until(lambda key=f"{number}": lab.store.images.get(key).status is ImageStatus.DONE)


# Failing


class Odd(BaseException):
    """Not even an Exception."""


RAISED: list[Callable[[], BaseException]] = [
    lambda: SystemExit(3),
    KeyboardInterrupt,
    MemoryError,
    lambda: ValueError("bad"),
    lambda: RuntimeError("cannot schedule new futures after shutdown"),
    lambda: RecursionError("deep"),
    lambda: Odd("odd"),
    lambda: OSError(28, "No space left on device"),
]


def test_eight_kinds_of_errors_leave_four_workers_and_nothing_stuck(lab: Lab) -> None:
    attempts: Counter[str] = Counter()

    def work(path: Path, job: Job) -> Processed:
        attempts[job.image_id] += 1
        if job.image_id.startswith("bad"):
            raise RAISED[int(job.image_id[-1])]()
        return instant(path, job)

    bad = [f"bad {number} {number % len(RAISED)}" for number in range(8)]
    lab.add(*(key for number in range(8) for key in (bad[number], f"good {number}")))
    with lab.queue(work) as queue:
        lab.wait_until_ended()
        assert lab.counts() == {"done": 8, "failed": 8}
        assert all(attempts[key] == 3 for key in bad)
        meeting = threading.Barrier(SLOTS + 1, timeout=20)  # and all four are alive
        for _ in range(SLOTS):
            queue._executor.submit(meeting.wait)
        meeting.wait()
        lab.add("afterwards")
        queue.wake()
        lab.wait_until_ended()
    for key in bad:
        image = lab.store.images.get(key)
        assert (image.status, image.error_code) == (ImageStatus.FAILED, "segmentation_error")
    assert lab.store.images.get("bad 2 2").error == "There was not enough memory to segment this image."
    assert "ValueError" in (lab.store.images.get("bad 3 3").error or "")


def test_an_error_that_says_what_is_wrong_is_not_tried_again(lab: Lab) -> None:
    attempts: Counter[str] = Counter()

    def work(path: Path, job: Job) -> Processed:
        attempts[job.image_id] += 1
        raise {"image": ImageUnreadable, "engine": SegmentationError}[job.image_id]("Told.")

    lab.add("image", "engine")
    with lab.queue(work):
        lab.wait_until_ended()
    assert attempts == {"image": 1, "engine": 1}
    image = lab.store.images.get("image")
    assert (image.error_code, image.error) == ("image_unreadable", "Told.")


def test_a_job_with_a_passing_error_is_put_back_until_it_succeeds(lab: Lab) -> None:
    turns: list[tuple[str, int]] = []

    def work(path: Path, job: Job) -> Processed:
        turns.append((job.image_id, job.attempt))
        if job.image_id == "flaky" and job.attempt < 3:
            raise OSError(5, "Input/output error")
        return instant(path, job)

    lab.add("flaky", "b", "c")
    with lab.queue(work, slots=1):
        lab.wait_until_ended()
    assert turns == [("flaky", 1), ("b", 1), ("c", 1), ("flaky", 2), ("flaky", 3)]
    assert lab.counts() == {"done": 3}
    assert lab.store.images.get("flaky").error is None


def test_the_number_of_attempts_is_a_setting(lab: Lab) -> None:
    attempts: Counter[str] = Counter()

    def work(_path: Path, job: Job) -> Processed:
        attempts[job.image_id] += 1
        raise ValueError

    lab.add("a")
    with lab.queue(work, max_attempts=5):
        lab.wait_until_ended()
    assert attempts == {"a": 5}


def test_a_file_that_is_gone_or_damaged_fails_its_job_alone(lab: Lab) -> None:
    lab.add("gone", "damaged", "fine")
    lab.blobs.path(lab.store.images.get("gone").sha256).unlink()
    lab.blobs.path(lab.store.images.get("damaged").sha256).write_bytes(b"other bytes")
    with lab.queue(instant):
        lab.wait_until_ended()
    assert lab.store.images.get("gone").error_code == "blob_missing"
    assert lab.store.images.get("damaged").error_code == "blob_damaged"
    assert lab.store.images.get("fine").status is ImageStatus.DONE


def test_a_file_that_cannot_be_read_leaves_the_dispatcher_alive(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = lab.blobs.path_of

    def path_of(sha256: str) -> Path:
        if sha256 == lab.store.images.get("bad").sha256:
            raise PermissionError(13, "Permission denied")
        return real(sha256)

    lab.add("bad", "fine")
    monkeypatch.setattr(lab.blobs, "path_of", path_of)
    with lab.queue(instant):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 1, "failed": 1}


@pytest.mark.parametrize("error", [StorageError("The disk is full."), IndexError("no row"), KeyError("x")])
def test_a_claim_that_fails_is_tried_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real, failures = lab.store.jobs.claim, iter(range(3))

    def claim_badly(*arguments: str) -> Job | None:
        if next(failures, None) is not None:
            raise error
        return real(*arguments)

    monkeypatch.setattr(lab.store.jobs, "claim", claim_badly)
    lab.add("a", "b")
    with lab.queue(instant):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 2}


def test_a_result_that_can_never_be_saved_fails_its_job_and_frees_its_slot(lab: Lab) -> None:
    def work(path: Path, job: Job) -> Processed:
        if job.image_id.startswith("bad"):
            return processed("x", [spheroid(bbox_x=2**40)])  # no column holds it
        return instant(path, job)

    lab.add(*(f"bad {number}" for number in range(SLOTS)), "good")
    with lab.queue(work):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 1, "failed": SLOTS}
    assert lab.store.images.get("bad 0").error_code == "segmentation_error"


# A full disk


def test_a_save_refused_by_a_full_disk_is_kept_until_it_holds(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, refused, runs = threading.Event(), [], Counter[str]()
    full.set()
    real = lab.blobs.put

    def put(data: bytes) -> str:
        if full.is_set():
            refused.append(data)
            raise StorageError("The disk is full.")
        return real(data)

    def work(path: Path, job: Job) -> Processed:
        runs[job.image_id] += 1
        return instant(path, job)

    keys = [f"{number}" for number in range(10)]
    lab.add(*keys)
    monkeypatch.setattr(lab.blobs, "put", put)
    with lab.queue(work):
        wait_until(lambda: len(refused) > 3 * SLOTS, what="retries")
        assert set(lab.counts()) == {"running", "queued"}  # paused, nothing thrown away
        full.clear()
        lab.wait_until_ended()
    assert lab.counts() == {"done": 10}
    assert runs == dict.fromkeys(keys, 1)


@pytest.mark.parametrize("statement", ["jobs.finish", "results.add", "images.set_result"])
def test_a_commit_refused_by_a_full_disk_is_tried_again_as_a_whole(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    method = "append" if statement == "results.add" else "rows"
    real, failures = getattr(Session, method), iter(range(4))

    def refusing(self: Session, name: str, *arguments: Any, **parts: str) -> Any:
        if name == statement and next(failures, None) is not None:
            raise StorageError("The disk is full.")
        return real(self, name, *arguments, **parts)

    monkeypatch.setattr(Session, method, refusing)
    lab.add("a", "b")
    with lab.queue(instant):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 2}
    assert lab.store.results.size(lab.project.id).objects == 2


def test_a_result_too_large_for_the_databases_memory_fails_with_what_to_change(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was tried again for ever, and the queue's thread for saving with it."""
    real = lab.store.results.begin_to_finish

    def refusing(ended: Any) -> Any:
        if any(job.image_id == "large" for job, _ in ended):
            raise DatabaseOutOfMemory("Raise DUCKDB_MEMORY_MB.")
        return real(ended)

    monkeypatch.setattr(lab.store.results, "begin_to_finish", refusing)
    lab.add("large", "small")
    with lab.queue(instant, max_attempts=2):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 1, "failed": 1}
    large = lab.store.images.get("large")
    assert (large.error_code, large.error) == ("database_out_of_memory", "Raise DUCKDB_MEMORY_MB.")
    assert lab.jobs(JobState.FAILED)["large"].attempt == 2


def test_a_lack_of_the_databases_memory_that_passes_costs_no_attempt(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = lab.store.results.begin_to_finish, iter(range(2))

    def refusing(ended: Any) -> Any:
        if next(failures, None) is not None:
            raise DatabaseOutOfMemory("Raise DUCKDB_MEMORY_MB.")
        return real(ended)

    monkeypatch.setattr(lab.store.results, "begin_to_finish", refusing)
    lab.add("a")
    with lab.queue(instant, max_attempts=1):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 1}


def test_a_disk_that_stays_full_does_not_hold_up_the_end(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.add("a")
    tried = threading.Event()

    def put(_: bytes) -> str:
        tried.set()
        raise StorageError("The disk is full.")

    monkeypatch.setattr(lab.blobs, "put", put)
    with lab.queue(instant) as queue:
        assert tried.wait(30)
        assert queue.drain(5)
    assert lab.counts() == {"queued": 1}  # the next start takes it up


# Cancelling


def test_a_cancelled_job_is_not_begun_and_a_running_ones_result_is_thrown_away(lab: Lab) -> None:
    gate = Gate()
    lab.add("running", "queued")
    with lab.queue(gate, slots=1) as queue:
        wait_until(lambda: gate.begun == ["running"])
        assert lab.store.jobs.cancel() == 2
        gate.open()
        lab.add("next")
        queue.wake()
        lab.wait_until_ended()
    assert gate.begun == ["running", "next"]
    assert lab.counts() == {"cancelled": 2, "done": 1}
    image = lab.store.images.get("running")
    assert (image.status, image.n_objects) == (ImageStatus.NEW, None)


def test_a_job_asked_for_anew_while_its_cancelled_self_runs_is_done_once(lab: Lab) -> None:
    gate = Gate()
    lab.add("a")
    with lab.queue(gate) as queue:
        wait_until(lambda: gate.begun == ["a"])
        lab.store.jobs.cancel()
        lab.store.jobs.enqueue(lab.project.id, ["a"], RECIPE)
        queue.wake()
        wait_until(lambda: gate.begun == ["a", "a"])
        gate.open()
        lab.wait_until_ended()
    assert lab.counts() == {"done": 1}
    assert lab.store.results.size(lab.project.id).objects == 1


def test_deleting_what_is_worked_on_harms_nothing(lab: Lab) -> None:
    gate = Gate()
    lab.add(*"abcdef")
    with lab.queue(gate) as queue:
        wait_until(lambda: len(gate.begun) == SLOTS)
        lab.store.images.delete(lab.project.id, ["a", "e"])
        lab.store.projects.delete(lab.project.id)
        gate.open()
        queue.wake()
        wait_until(lambda: queue._workers.is_idle)
    assert lab.counts() == {"cancelled": 6}
    lab.store.projects.restore(lab.project.id)
    assert {image.status for image in lab.store.images.page(lab.project.id).items} == {ImageStatus.NEW}


# After a crash


def crash(lab: Lab, running: int) -> None:
    """Leave the table as a process leaves it that was killed with ``running`` jobs in work."""
    for _ in range(running):
        claim(lab.store)


def test_orphans_run_first_and_alone(lab: Lab) -> None:
    keys = [f"{number}" for number in range(8)]
    lab.add(*keys)
    crash(lab, 3)
    lock, running, beside, order = threading.Lock(), set[str](), set[str](), list[str]()

    def work(path: Path, job: Job) -> Processed:
        with lock:
            order.append(job.image_id)
            running.add(job.image_id)
            if len(running) > 1:
                beside.update(running)
        threading.Event().wait(0.03)  # long enough for another to begin beside it, were it let
        with lock:
            running.remove(job.image_id)
        return instant(path, job)

    with lab.queue(work):
        lab.wait_until_ended()
    assert order[:3] == ["0", "1", "2"]
    assert not beside & {"0", "1", "2"}
    assert lab.counts() == {"done": 8}


def test_an_orphan_that_raises_every_time_does_not_stop_the_others(lab: Lab) -> None:
    lab.add("bad", "b", "c")
    crash(lab, 2)

    def work(path: Path, job: Job) -> Processed:
        if job.image_id == "bad":
            raise ValueError
        return instant(path, job)

    with lab.queue(work):
        lab.wait_until_ended()
    assert lab.counts() == {"done": 2, "failed": 1}
    assert lab.jobs(JobState.FAILED)["bad"].attempt == 3  # the crash counts


def test_an_orphan_at_its_last_attempt_is_failed_at_the_start(lab: Lab) -> None:
    lab.add("bad", "good")
    for _ in range(2):
        crash(lab, 1)
        lab.store.jobs.recover(3)
    crash(lab, 1)
    with lab.queue(instant):
        lab.wait_until_ended()
    assert lab.store.images.get("bad").error_code == "crashed_repeatedly"
    assert lab.store.images.get("good").status is ImageStatus.DONE


# Memory and deadlines


def test_what_does_not_fit_waits_and_none_overtakes_it(lab: Lab) -> None:
    gate = Gate()
    lab.add(*"abc")
    one = lab.store.jobs.page(JobState.QUEUED).items[0].memory_bytes
    with lab.queue(gate, admission=Admission(2 * one)) as queue:
        wait_until(lambda: len(gate.begun) == 2)
        wait_until(lambda: queue.state().waits_for_memory == "c.tif")
        assert queue.state().memory_taken_bytes == 2 * one
        gate.open()
        lab.wait_until_ended()
        wait_until(lambda: queue.state().running == 0)
        assert (queue.state().memory_taken_bytes, queue.state().waits_for_memory) == (0, None)
    assert lab.counts() == {"done": 3}


def test_an_image_that_needs_more_than_all_the_memory_fails_with_what_to_change(lab: Lab) -> None:
    lab.add("a")
    with lab.queue(instant, admission=Admission(2**20)):
        lab.wait_until_ended()
    failed = lab.jobs(JobState.FAILED)["a"]
    assert "a.tif needs about" in (failed.error or "")
    assert lab.store.images.get("a").error_code == "image_too_large"


def test_jobs_wait_for_memory_that_others_hold_and_begin_when_it_is_released(lab: Lab) -> None:
    lab.add("a")
    one = lab.store.jobs.page(JobState.QUEUED).items[0].memory_bytes
    admission = Admission(one)
    with ExitStack() as stack:
        with admission.hold(one, "preview.tif"):
            queue = stack.enter_context(lab.queue(instant, admission=admission))
            wait_until(lambda: queue.state().waits_for_memory == "a.tif")
            assert lab.counts() == {"queued": 1}
        lab.wait_until_ended()
    assert lab.counts() == {"done": 1}


def test_a_job_keeps_its_place_before_a_preview_however_long_it_waits(lab: Lab) -> None:
    lab.add("a")
    one, now = lab.store.jobs.page(JobState.QUEUED).items[0].memory_bytes, [0.0]
    admission, order = Admission(one, clock=lambda: now[0]), []

    def work(path: Path, job: Job) -> Processed:
        order.append("job")
        return instant(path, job)

    def preview() -> None:
        with admission.hold(one, "preview.tif"):
            order.append("preview")

    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        with admission.hold(one, "running.tif"):
            queue = stack.enter_context(lab.queue(work, admission=admission))
            wait_until(lambda: queue.state().waits_for_memory == "a.tif")
            later = pool.submit(preview)
            wait_until(lambda: len(admission._waiting_line) == 2)
            for seconds in (20.0, 40.0, 60.0):
                now[0] = seconds
                wait_until(lambda: admission._waiting_line[0].until == now[0] + PLACE_SECONDS)
        later.result(30)
        lab.wait_until_ended()
    assert order == ["job", "preview"]


def test_a_job_that_hangs_fails_at_its_deadline_and_its_worker_counts_as_lost(lab: Lab) -> None:
    gate = Gate()

    def work(path: Path, job: Job) -> Processed:
        return gate(path, job) if job.image_id == "hangs" else instant(path, job)

    lab.add("hangs", "fine")
    with lab.queue(work, slots=2, deadline_seconds=3) as queue:  # time enough for the one that is fine
        wait_until(lambda: lab.counts() == {"done": 1, "failed": 1})
        assert lab.store.images.get("hangs").error_code == "deadline_passed"
        assert "longer than 3 seconds" in (lab.store.images.get("hangs").error or "")
        assert (queue.state().lost, queue.state().running) == (1, 0)
        lab.add("later")
        queue.wake()
        wait_until(lambda: lab.counts() == {"done": 2, "failed": 1})  # the other worker goes on
        gate.open()
        wait_until(lambda: queue.state().lost == 0)
        assert lab.counts() == {"done": 2, "failed": 1}  # what came too late is thrown away
    assert [span.state for span in queue.timeline.latest() if span.image_id == "hangs"] == [JobState.FAILED]


def test_a_clock_that_jumps_changes_no_order_and_no_duration(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = itertools.cycle([timedelta(days=1), timedelta(days=-1), timedelta()])
    for module in ("core.store.jobs", "core.queue.slots", "core.store.results"):
        monkeypatch.setattr(f"{module}.utc_now", lambda: utc_now() + next(days))
    gate = Gate()
    gate.open()
    keys = [f"{number}" for number in range(9)]
    lab.add(*keys)
    with lab.queue(gate, slots=1) as queue:
        lab.wait_until_ended()
    assert gate.begun == keys
    spans = queue.timeline.latest()
    assert all(0 <= span.seconds < 60 for span in spans)
    assert all(ms >= 0 for span in spans for ms in span.stages_ms.values())
    totals = lab.store.jobs.totals()
    assert totals.per_second is None or totals.per_second > 0


def test_the_timeline_tells_who_did_what_and_how_long_each_stage_took(lab: Lab) -> None:
    lab.add(*"abcd")
    with lab.queue(instant, slots=2) as queue:
        lab.wait_until_ended()
        wait_until(lambda: queue.timeline.total == 4)
    spans = queue.timeline.latest()
    assert {span.image_name for span in spans} == {"a.tif", "b.tif", "c.tif", "d.tif"}
    assert {span.worker for span in spans} <= {"worker 1", "worker 2"}
    assert all(set(span.stages_ms) == {"queued", "read", "predict", "save"} for span in spans)
    stored = lab.jobs(JobState.DONE)["a"].timings_ms
    assert set(stored) == {"queued", "read", "predict", "save"}
    assert lab.store.images.get("a").seconds == pytest.approx(
        sum(stored.values()) / 1000 - stored["queued"] / 1000
    )
    assert queue.timeline.latest(2) == spans[-2:]


def test_a_worker_process_that_dies_makes_its_job_run_alone_and_fail_at_last(lab: Lab) -> None:
    alone: list[bool] = []

    def work(path: Path, job: Job) -> Processed:
        if job.image_id == "poison":
            alone.append(job.suspect)
            raise BrokenExecutor
        return instant(path, job)

    lab.add("poison", "b", "c")
    with lab.queue(work):
        lab.wait_until_ended()
    assert alone == [False, True, True]
    image = lab.store.images.get("poison")
    assert (image.error_code, lab.counts()) == ("crashed_repeatedly", {"done": 2, "failed": 1})


def test_an_executor_in_trouble_pauses_the_queue_until_it_is_well(lab: Lab) -> None:
    class Cluster(ThreadExecutor):
        message: str | None = "The scheduler cannot be reached."

        @property
        def problem(self) -> str | None:
            return self.message

    lab.add(*"ab")
    cluster = Cluster(1)
    queue = JobQueue(lab.store, lab.blobs, cluster, instant, QueueRules(1), Admission(2**40))
    queue.start()
    assert queue.state().problem == "The scheduler cannot be reached."
    threading.Event().wait(0.2)
    assert lab.counts() == {"queued": 2}
    cluster.message = None
    lab.wait_until_ended()
    assert queue.drain(5)


# Stopping


def test_draining_lets_running_jobs_end_and_begins_no_other(lab: Lab) -> None:
    gate = Gate()
    lab.add(*"abcdefgh")
    with lab.queue(gate) as queue, ThreadPoolExecutor(1) as pool:
        wait_until(lambda: len(gate.begun) == SLOTS)
        draining = pool.submit(queue.drain, 20)
        wait_until(lambda: queue._stopping)
        gate.open()
        assert draining.result()
    assert lab.counts() == {"done": SLOTS, "queued": 8 - SLOTS}
    assert len(gate.begun) == SLOTS


def test_draining_gives_up_in_time_and_what_still_runs_is_an_orphan(lab: Lab) -> None:
    gate = Gate()
    lab.add("slow", "waits")
    with lab.queue(gate, slots=1) as queue:
        wait_until(lambda: gate.begun == ["slow"])
        watch = Future[bool]()
        ending = threading.Thread(target=lambda: watch.set_result(queue.drain(0.2)))
        ending.start()
        assert watch.result(timeout=20) is False
        ending.join()
        assert not queue.drain(60)  # a second call has no time of its own
        assert lab.counts() == {"queued": 2}
        assert [job.image_id for job in lab.store.jobs.page(JobState.QUEUED).items] == ["slow", "waits"]
        gate.open()
        wait_until(lambda: queue._workers.is_idle)
    assert lab.store.jobs.recover(3) == 0
    slow = lab.jobs(JobState.QUEUED)["slow"]
    assert (slow.attempt, slow.crashes, slow.suspect) == (0, 0, False)  # being stopped is no fault


def test_a_queue_that_never_began_can_be_drained(lab: Lab) -> None:
    queue = JobQueue(lab.store, lab.blobs, ThreadExecutor(1), instant, QueueRules(1), Admission(2**40))
    assert queue.drain(1)
    assert queue.drain(1)


def test_a_result_after_the_database_has_closed_is_dropped_without_an_error(
    lab: Lab, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    lab.add("a")
    with lab.queue(gate, slots=1) as queue:
        wait_until(lambda: gate.begun == ["a"])
        assert not queue.drain(0)
        db.close()
        gate.open()
        wait_until(lambda: queue._workers.is_idle and not queue._unsaved)
    assert [record.message for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")] == []


def test_workers_end_with_the_queue(lab: Lab) -> None:
    before = set(threading.enumerate())
    for _ in range(5):
        with lab.queue(instant):
            pass
    wait_until(lambda: set(threading.enumerate()) <= before, what="threads to end")


def test_what_is_missing_is_told_in_the_files_own_words(lab: Lab) -> None:
    lab.add("a")
    lab.blobs.path(lab.store.images.get("a").sha256).unlink()
    with lab.queue(instant):
        lab.wait_until_ended()
    with pytest.raises(BlobMissing) as caught:
        lab.blobs.get(lab.store.images.get("a").sha256)
    assert lab.store.images.get("a").error == caught.value.message
