"""Save how a job ended: its result, its failure, or its return to the queue."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass

from core.errors import (
    CrashedRepeatedly,
    DatabaseOutOfMemory,
    SegmentationError,
    SpheroscopeError,
    StorageError,
    WorkersUnavailable,
)
from core.files.blobs import Blobs
from core.models import Job, JobState
from core.queue.task import Processed
from core.store import Store
from core.store.results import Result

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
OUT_OF_MEMORY_TRIES = 3  # another statement may hold the memory now; a result too large for it always will be


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt at a job that is over, and the waits before it: ``queued`` and ``read``, in ms."""

    job: Job
    outcome: Processed | BaseException
    waits_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Saved:
    """The job's state now, None where this attempt had been cancelled; how long its stages took."""

    state: JobState | None
    stages_ms: Mapping[str, float]


class JobCompletion:
    """Saves how jobs ended. ``stopped_within(seconds)`` waits, and returns whether the queue is stopping."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        max_attempts: int,
        stopped_within: Callable[[float], bool],
        finish: Callable[[tuple[Job, Result]], bool],
    ) -> None:
        """``finish`` saves a result and ends its job; false where the attempt had been cancelled."""
        self._store = store
        self._finish_job = finish
        self._blobs = blobs
        self._max_attempts = max_attempts
        self._stopped_within = stopped_within

    def save_with_retries(self, ended: Ended) -> Saved:
        """Save, retrying on StorageError until it succeeds or the queue stops.

        A full disk thus pauses the queue, slot by slot, and no result is thrown away. What the database has
        no memory for is retried OUT_OF_MEMORY_TRIES times; then it is an error of this attempt at the job.
        """
        job, outcome, tries = ended.job, ended.outcome, 0
        while True:
            try:
                return self._save(job, outcome, ended.waits_ms)
            except DatabaseOutOfMemory as error:
                tries += 1
                if tries >= OUT_OF_MEMORY_TRIES:
                    if isinstance(outcome, BaseException):
                        raise
                    outcome, tries = error, 0
                    continue
            except StorageError as error:
                log.error("event=job.save_refused job=%s reason=%s", job.id, error.message)
            except Exception as error:
                if isinstance(outcome, BaseException):
                    raise
                outcome = error  # a result that cannot be saved on any disk: the job's failure
                continue
            if self._stopped_within(RETRY_SECONDS):
                return Saved(JobState.RUNNING, ended.waits_ms)

    def _save(self, job: Job, outcome: Processed | BaseException, waits_ms: Mapping[str, float]) -> Saved:
        start = time.perf_counter()
        stages = dict(waits_ms)
        if isinstance(outcome, Processed):
            stages |= outcome.timings_ms
            state, saved = JobState.DONE, self._finish(job, outcome, waits_ms)
        else:
            state, saved = self._save_failure(job, outcome)
        stages["save"] = (time.perf_counter() - start) * 1000
        error = type(outcome).__name__ if isinstance(outcome, BaseException) else None
        log.info("event=job.ended job=%s attempt=%d error=%s saved=%s", job.id, job.attempt, error, saved)
        return Saved(state if saved else None, stages)

    def _finish(self, job: Job, processed: Processed, waits_ms: Mapping[str, float]) -> bool:
        start = time.perf_counter()
        labels_sha256 = self._blobs.put(processed.labels_png)
        thumbnail_sha256 = self._blobs.put(processed.thumbnail)
        maps_sha256 = self._blobs.put(processed.maps)
        saving = {"save": (time.perf_counter() - start) * 1000}  # the transaction cannot know its own end
        result = Result(
            engine=processed.engine,
            engine_version=processed.engine_version,
            params=processed.params,
            spheroids=processed.spheroids,
            labels_sha256=labels_sha256,
            thumbnail_sha256=thumbnail_sha256,
            timings_ms={**waits_ms, **processed.timings_ms, **saving},
            maps_sha256=maps_sha256,
            confidence=processed.confidence,
            quality=processed.quality,
        )
        return self._finish_job((job, result))

    def _save_failure(self, job: Job, error: BaseException) -> tuple[JobState, bool]:
        if isinstance(error, CancelledError):  # at shutdown or with its scheduler, by no fault of its own
            return JobState.QUEUED, self._store.jobs.release(job)
        if isinstance(error, BrokenExecutor):
            return self._after_worker_death(job)
        if isinstance(error, SpheroscopeError) and not error.may_pass:
            return JobState.FAILED, self._store.jobs.fail(job, error)
        if not isinstance(error, SpheroscopeError):
            log.error("event=job.raised job=%s attempt=%d", job.id, job.attempt, exc_info=error)
        reason = error if isinstance(error, SpheroscopeError) else _unexpected(error)
        if job.attempt >= self._max_attempts:
            return JobState.FAILED, self._store.jobs.fail(job, reason)
        return JobState.QUEUED, self._store.jobs.put_back(job, reason)

    def _after_worker_death(self, job: Job) -> tuple[JobState, bool]:
        """A worker died during this job or one beside it: it runs alone next, up to its last crash."""
        if job.crashes + 1 >= self._max_attempts:
            failed = self._store.jobs.fail(job, CrashedRepeatedly.after(self._max_attempts))
            return JobState.FAILED, failed
        reason = WorkersUnavailable("A worker ended while it segmented this image. It is tried again, alone.")
        return JobState.QUEUED, self._store.jobs.put_back(job, reason, suspect=True)


def outcome_of(future: Future[Processed]) -> Processed | BaseException:
    """The result or the error of a future that is done."""
    try:
        return future.exception() or future.result()
    except CancelledError as error:  # at shutdown, before it had begun
        return error


def _unexpected(error: BaseException) -> SegmentationError:
    if isinstance(error, MemoryError):
        return SegmentationError("There was not enough memory to segment this image.")
    return SegmentationError(f"Segmenting failed unexpectedly ({type(error).__name__}). The log has details.")
