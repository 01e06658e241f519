"""The durable job queue: rows in DuckDB are the queue, an executor runs the jobs.

The protocol, by which no job is lost and no result saved twice:

1. A job row is written in the transaction of its image, or alone; its id is a hash of image, engine and
   parameters, so a second request is the same row.
2. Claim: ``running`` and attempt + 1 are committed before a byte of the image is decoded. The order is
   orphans, then priority, then turn, then sequence, never the clock; no job overtakes one that waits for
   memory. The people whose jobs wait at one priority take turns: see jobs.take_turns.
3. Finish: the result and ``done`` in one transaction, only where the job is still running this attempt.
4. An error that says what is wrong with the image fails the job; any other puts it back, behind that
   person's others, until its attempts are used up. A job that passes its deadline fails, and its worker
   counts as lost until it comes back: a thread cannot be ended from outside.
5. Start-up: the database's lock proves that no other process works on it, so every running job is an orphan.
   Orphans run first and one at a time, so that the next crash counts only for the job that caused it.
6. Shutdown: claiming stops, running jobs get ``drain_seconds``; what still runs is queued again in its place.

A worker is free as soon as its job has ended, and what it gave is saved beside the next job, so that the
next one's claim falls into the same transaction where it can. One worker alone waits until its last result
is with the database; several, while nearly twice as many results as there are workers are not.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from core.errors import DeadlinePassed, SpheroscopeError
from core.files.blobs import Blobs
from core.models import Job, JobState
from core.queue import completion
from core.queue.admission import Admission, JobAdmission
from core.queue.batching import Batcher
from core.queue.completion import Ended, JobCompletion, outcome_of
from core.queue.executor import Executor
from core.queue.slots import QueueLoad, QueueRules, Running, WorkerSlots
from core.queue.task import Processed, Work
from core.queue.timeline import Timeline
from core.store import Store
from core.store.results import Result

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1  # results that come this close together share a transaction


class JobQueue:
    """Feeds jobs to an executor, ``rules.slots`` at once, and saves what comes back."""

    def __init__(  # noqa: PLR0913 - the parts that services put together
        self,
        store: Store,
        blobs: Blobs,
        executor: Executor,
        work: Work,
        rules: QueueRules,
        admission: Admission,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._executor = executor
        self._work = work
        self._rules = rules
        self._admission = admission
        self._clock = clock
        self.timeline = Timeline()
        self._workers = WorkerSlots(rules.slots)
        batcher = Batcher(self._finish, rules.slots, GATHER_SECONDS, lambda: bool(self._workers.running))
        self._completion = JobCompletion(store, blobs, rules.max_attempts, self._stopped_within, batcher.call)
        self._boot_id = secrets.token_hex(8)
        self._unsaved = 0
        self._committing = 0  # of those unsaved, how many only wait for their transaction
        self._suspects = 0  # in work or not saved yet: none begins beside one
        self._changed = threading.Condition()
        self._memory = JobAdmission(admission, self.wake)
        self._woken = False
        self._stopping = False
        self._stop_by = 0.0
        self._savers = ThreadPoolExecutor(rules.slots, "queue-saver")
        self._dispatcher = threading.Thread(target=self._dispatch, name="queue-dispatcher", daemon=True)

    def start(self) -> int:
        """Recover the jobs of an earlier process, then start; return how many orphans were found."""
        orphans = self._store.jobs.recover(self._rules.max_attempts)
        if orphans:
            log.warning("event=queue.recovered orphans=%d", orphans)
        self._dispatcher.start()
        self.wake()
        return orphans

    def wake(self) -> None:
        """Wake the dispatcher: there may be a job to claim."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def cancel_running(self, image_ids: frozenset[str]) -> None:
        """Cancel the running jobs of these images where that is possible; does not block.

        A thread runs on to its end, and its result is dropped.
        """
        with self._changed:
            running = [one for one in self._workers.running.values() if one.job.image_id in image_ids]
        for future in [one.future for one in running if one.future is not None]:
            future.cancel()
        self.wake()  # the next job may be another

    def state(self) -> QueueLoad:
        """The state of the queue now; reads no table."""
        with self._changed:
            return QueueLoad(
                slots=self._rules.slots,
                running=len(self._workers.running),
                lost=len(self._workers.lost),
                unsaved=self._unsaved,
                memory_taken_bytes=self._admission.held_bytes,
                memory_total_bytes=self._admission.total_bytes,
                waits_for_memory=self._admission.waiting,
                problem=self._executor.problem,
            )

    def drain(self, seconds: float) -> bool:
        """Stop claiming and wait for running jobs; False if some still run after ``seconds``.

        What still runs then is queued again, and is no suspect at the next start. A second call waits for
        what is left of the first one's time.
        """
        with self._changed:
            first = not self._stopping
            if first:
                self._stopping = True
                self._stop_by = time.monotonic() + seconds
                self._changed.notify_all()
            left = max(0.0, self._stop_by - time.monotonic())
            self._changed.wait_for(lambda: self._is_idle() or time.monotonic() >= self._stop_by, left)
            drained = self._is_idle()
        if self._dispatcher.ident is not None:
            self._dispatcher.join(timeout=max(1.0, self._stop_by - time.monotonic()))
        self._executor.shutdown(wait=drained, cancel_futures=True)
        self._savers.shutdown(wait=drained)
        if first:
            self._give_back()
        return drained

    def stop_now(self) -> None:
        """End a running drain now, as if its time were over."""
        with self._changed:
            self._stop_by = time.monotonic()
            self._changed.notify_all()

    def _is_idle(self) -> bool:
        return self._workers.is_idle and not self._unsaved

    def _give_back(self) -> None:
        try:
            if count := self._store.jobs.give_back(self._boot_id):
                log.warning("event=queue.undrained jobs=%d", count)
        except SpheroscopeError as error:  # a full disk: orphans by rule 5
            log.error("event=queue.undrained reason=%s", error.message)

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                while not self._has_work():
                    timed_out = not self._changed.wait(self._seconds_to_wait())
                    self._woken |= timed_out and self._memory.waits
                if self._stopping:
                    return
                overdue = self._overdue()
                for running in overdue:
                    self._workers.give_up(running)
                worker = self._workers.free.pop() if self._may_claim() else None
                if worker:
                    self._woken = False  # before the claim, so that a wake during it is not lost
            for running in overdue:
                log.error("event=job.overdue job=%s worker=%s", running.job.id, running.worker)
                self._save_later(running, DeadlinePassed.after(self._rules.deadline_seconds))
            if worker:
                self._begin(worker)

    def _has_work(self) -> bool:
        return self._stopping or bool(self._overdue()) or self._may_claim()

    def _overdue(self) -> list[Running]:
        return self._workers.overdue(self._clock() - self._rules.deadline_seconds)

    def _may_claim(self) -> bool:
        return bool(
            self._woken
            and self._workers.free
            and self._unsaved - self._committing < 2 * self._rules.slots - 1
            and not self._suspects
            and self._executor.problem is None
        )

    def _seconds_to_wait(self) -> float | None:
        """Seconds until the dispatcher has to check without being woken; None for never."""
        start, waits = self._workers.earliest(), []
        if start is not None:
            waits.append(start + self._rules.deadline_seconds - self._clock())
        if self._memory.waits or (self._woken and self._executor.problem is not None):
            waits.append(completion.RETRY_SECONDS)
        return max(0.0, min(waits)) if waits else None

    def _begin(self, worker: str) -> None:
        job = self._claim(worker)
        self._memory.claimed(worker if job else None)
        if job is None:
            with self._changed:
                self._workers.free.append(worker)
                self._changed.notify_all()
            return
        running = Running(job, worker, self._clock())
        with self._changed:
            self._workers.running[worker] = running
            self._suspects += job.suspect
        self.wake()
        self._submit(running)

    def _claim(self, worker: str) -> Job | None:
        try:
            return self._store.jobs.claim(self._boot_id, worker, self._fits)
        except Exception:  # of any kind: without its dispatcher the queue would stop for good
            log.exception("event=queue.claim_failed")
            self._stopped_within(completion.RETRY_SECONDS)
            self.wake()
            return None

    def _fits(self, job: Job) -> bool:
        beside = self._workers.running or self._unsaved
        return not (job.suspect and beside) and self._memory.fits(job)

    def _submit(self, running: Running) -> None:
        start = time.perf_counter()
        try:
            self._memory.require_possible(running.job)
            path = self._blobs.path_of(running.job.sha256)
            running.read_ms = (time.perf_counter() - start) * 1000
            future = running.future = self._executor.submit(self._work, path, running.job)
        except Exception as error:  # a file that is gone or damaged, an executor that has been shut down
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda ended: self._ended(running, ended))

    def _stopped_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping, timeout=seconds)

    def _ended(self, running: Running, future: Future[Processed]) -> None:
        """Free the worker at once; its outcome is saved beside the next job. Does not block."""
        running.seconds = self._clock() - running.start
        self._memory.ended(running.worker)
        with self._changed:
            if self._workers.end(running):
                self._save_later(running, outcome_of(future))
            self.wake()

    def _save_later(self, running: Running, outcome: Processed | BaseException) -> None:
        with self._changed:
            self._unsaved += 1
        try:
            self._savers.submit(self._save, running, outcome)
        except RuntimeError:  # drained already: the job has been queued again
            log.info("event=job.too_late job=%s", running.job.id)
            self._saved(running)

    def _finish(self, ended: Sequence[tuple[Job, Result]]) -> list[bool]:
        saving = self._store.results.begin_to_finish(ended)
        self._add_committing(len(ended))
        try:
            return saving.result()
        finally:
            self._add_committing(-len(ended))

    def _add_committing(self, change: int) -> None:
        with self._changed:
            self._committing += change
            self.wake()

    def _save(self, running: Running, outcome: Processed | BaseException) -> None:
        try:
            saved = self._completion.save_with_retries(Ended(running.job, outcome, running.waits_ms))
            state = saved.state or JobState.CANCELLED
            self.timeline.add(running.span(state, saved.stages_ms))
        except Exception:  # the job stays running and is an orphan at the next start; the queue must live on
            log.exception("event=job.unsaved job=%s", running.job.id)
        finally:
            self._saved(running)

    def _saved(self, running: Running) -> None:
        with self._changed:
            self._unsaved -= 1
            self._suspects -= running.job.suspect
            self.wake()
