"""The durable job queue: rows in DuckDB are the queue, an executor is only the muscle.

The protocol, which loses nothing and does nothing twice:

1. A job row is written in the transaction of its image, or alone; its id is a hash of image, engine and
   parameters, so asking twice is the same row.
2. Claim: ``running`` and attempt + 1 are committed before a byte of the image is decoded.
3. Finish: the result and ``done`` in one transaction, only where the job is still running this attempt.
4. An error that says what is wrong with the image fails the job; any other puts it back, behind the others,
   until its attempts are used up.
5. Start-up: the database's lock proves that no other process works on it, so every running job is an orphan.
   Orphans run one at a time first, so that only the guilty one is blamed for the next crash.
6. Shutdown: claiming stops, running jobs get ``drain_seconds``; what still runs is an orphan by rule 5.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, Protocol

from core.blobs import Blobs
from core.errors import SegmentationError, SpheroscopeError, StorageError
from core.models import Job
from core.store import Store
from core.store.results import Result
from core.work import Processed

log = logging.getLogger(__name__)

Work = Callable[[bytes, Job], Processed]

RETRY_SECONDS = 2.0


class Executor(Protocol):
    """What runs jobs: a ThreadPoolExecutor, or a cluster's stand-in for one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]: ...

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


class JobQueue:
    """Feeds jobs to an executor, ``slots`` at once, and saves what comes back."""

    def __init__(self, store: Store, blobs: Blobs, executor: Executor, work: Work, *, slots: int) -> None:
        self._store = store
        self._blobs = blobs
        self._executor = executor
        self._work = work
        self._boot_id = secrets.token_hex(8)
        self._free = [f"worker {number}" for number in range(slots, 0, -1)]
        self._slots = slots
        self._max_attempts = 1
        self._changed = threading.Condition()
        self._woken = False
        self._stopping = False
        self._stop_by = 0.0
        self._dispatcher = threading.Thread(target=self._dispatch, name="queue-dispatcher", daemon=True)

    def start(self, max_attempts: int = 3) -> int:
        """Take up what an earlier process left, then begin; return how many orphans were found."""
        self._max_attempts = max_attempts
        orphans = self._store.jobs.recover(max_attempts)
        if orphans:
            log.warning("event=queue.recovered orphans=%d", orphans)
        self._dispatcher.start()
        self.wake()
        return orphans

    def wake(self) -> None:
        """Say that there may be something to claim."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Stop claiming and wait for running jobs; False if some still run after ``seconds``.

        A second call waits for what is left of the first one's time.
        """
        with self._changed:
            if not self._stopping:
                self._stopping = True
                self._stop_by = time.monotonic() + seconds
                self._changed.notify_all()
            left = max(0.0, self._stop_by - time.monotonic())
            drained = self._changed.wait_for(lambda: len(self._free) == self._slots, timeout=left)
        if self._dispatcher.ident is not None:
            self._dispatcher.join(timeout=max(1.0, self._stop_by - time.monotonic()))
        self._executor.shutdown(wait=drained, cancel_futures=True)
        return drained

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or (self._woken and self._free))
                if self._stopping:
                    return
                worker = self._free.pop()
                self._woken = False  # before the claim, so that a wake during it is not lost
            job = self._claim(worker)
            if job is None:
                self._release(worker)
                continue
            self.wake()
            self._submit(job, worker)
            if job.suspect:
                self._wait_until_alone()

    def _claim(self, worker: str) -> Job | None:
        try:
            return self._store.jobs.claim(self._boot_id, worker)
        except Exception:  # whatever it was: without its dispatcher the queue would stand still for ever
            log.exception("event=queue.claim_failed")
            self._stopped_within(RETRY_SECONDS)
            self.wake()
            return None

    def _submit(self, job: Job, worker: str) -> None:
        try:
            data = self._blobs.get(job.sha256)
            future = self._executor.submit(self._work, data, job)
        except Exception as error:  # a file that is gone or damaged, an executor that has been shut down
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda ended: self._ended(job, worker, ended))

    def _wait_until_alone(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or len(self._free) == self._slots)

    def _stopped_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping, timeout=seconds)

    def _release(self, worker: str) -> None:
        with self._changed:
            self._free.append(worker)
            self._changed.notify_all()

    def _ended(self, job: Job, worker: str, future: Future[Processed]) -> None:
        try:
            self._save_until_it_holds(job, _outcome(future))
        except Exception:  # the job stays running and is an orphan at the next start; the slot must live on
            log.exception("event=job.unsaved job=%s", job.id)
        finally:
            self._release(worker)
            self.wake()

    def _save_until_it_holds(self, job: Job, outcome: Processed | BaseException) -> None:
        # A full disk pauses the queue, slot by slot, and no result is thrown away; it goes on by itself.
        while True:
            try:
                return self._save(job, outcome)
            except StorageError as error:
                log.error("event=job.save_refused job=%s reason=%s", job.id, error.message)
            except Exception as error:
                if isinstance(outcome, BaseException):
                    raise
                outcome = error  # what came back cannot be saved on any disk: that is the job's failure
                continue
            if self._stopped_within(RETRY_SECONDS):
                return None

    def _save(self, job: Job, outcome: Processed | BaseException) -> None:
        error = outcome if isinstance(outcome, BaseException) else None
        if isinstance(outcome, Processed):
            kept = self._store.results.finish(job, self._stored(outcome))
        elif isinstance(outcome, SpheroscopeError) and not outcome.may_pass:
            kept = self._store.jobs.fail(job, outcome)
        else:
            kept = self._fail_or_put_back(job, outcome)
        log.info(
            "event=job.ended job=%s attempt=%d error=%s kept=%s",
            job.id,
            job.attempt,
            type(error).__name__ if error else None,
            kept,
        )

    def _stored(self, processed: Processed) -> Result:
        return Result(
            engine=processed.engine,
            engine_version=processed.engine_version,
            params=processed.params,
            spheroids=processed.spheroids,
            labels_sha256=self._blobs.put(processed.labels_png),
            thumbnail_sha256=self._blobs.put(processed.thumbnail),
            timings_ms=processed.timings_ms,
            maps_sha256=self._blobs.put(processed.maps),
            confidence=processed.confidence,
        )

    def _fail_or_put_back(self, job: Job, error: BaseException) -> bool:
        log.error("event=job.raised job=%s attempt=%d", job.id, job.attempt, exc_info=error)
        said = error if isinstance(error, SpheroscopeError) else _unexpected(error)
        if job.attempt >= self._max_attempts:
            return self._store.jobs.fail(job, said)
        return self._store.jobs.put_back(job, said)


def _outcome(future: Future[Processed]) -> Processed | BaseException:
    try:
        return future.exception() or future.result()
    except CancelledError as error:  # at shutdown, before it had begun
        return error


def _unexpected(error: BaseException) -> SegmentationError:
    if isinstance(error, MemoryError):
        return SegmentationError("There was not enough memory to segment this image.")
    return SegmentationError(f"Segmenting failed unexpectedly ({type(error).__name__}). The log has details.")
