"""What came of a job, saved: its result, its failure, or that it is to be tried again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass

from core.errors import (
    CrashedRepeatedly,
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


@dataclass(frozen=True, slots=True)
class Ended:
    """A try of a job that is over, and the waits before it: ``queued`` and ``read``, in ms."""

    job: Job
    outcome: Processed | BaseException
    waits_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Saved:
    """Where the job stands now, None where nobody asks for this try any more; how long its stages took."""

    state: JobState | None
    stages_ms: Mapping[str, float]


class Outcomes:
    """Writes what came of jobs. ``stopped_within(seconds)`` waits, and says whether the queue is stopping."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        max_attempts: int,
        stopped_within: Callable[[float], bool],
        finish: Callable[[tuple[Job, Result]], bool],
    ) -> None:
        """``finish`` saves a result with its job's end; false where nobody asks for this try any more."""
        self._store = store
        self._finish_job = finish
        self._blobs = blobs
        self._max_attempts = max_attempts
        self._stopped_within = stopped_within

    def save_until_it_holds(self, ended: Ended) -> Saved:
        """Save; where the disk refuses, again and again until it does not, or until the queue stops.

        A full disk thus pauses the queue, slot by slot, no result is thrown away, and it goes on by itself.
        """
        job, outcome = ended.job, ended.outcome
        while True:
            try:
                return self._save(job, outcome, ended.waits_ms)
            except StorageError as error:
                log.error("event=job.save_refused job=%s reason=%s", job.id, error.message)
            except Exception as error:
                if isinstance(outcome, BaseException):
                    raise
                outcome = error  # what came back cannot be saved on any disk: that is the job's failure
                continue
            if self._stopped_within(RETRY_SECONDS):
                return Saved(JobState.RUNNING, ended.waits_ms)

    def _save(self, job: Job, outcome: Processed | BaseException, waits_ms: Mapping[str, float]) -> Saved:
        start = time.perf_counter()
        stages = dict(waits_ms)
        if isinstance(outcome, Processed):
            stages |= outcome.timings_ms
            state, kept = JobState.DONE, self._finish(job, outcome, waits_ms)
        else:
            state, kept = self._save_failure(job, outcome)
        stages["save"] = (time.perf_counter() - start) * 1000
        error = type(outcome).__name__ if isinstance(outcome, BaseException) else None
        log.info("event=job.ended job=%s attempt=%d error=%s kept=%s", job.id, job.attempt, error, kept)
        return Saved(state if kept else None, stages)

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
        )
        return self._finish_job((job, result))

    def _save_failure(self, job: Job, error: BaseException) -> tuple[JobState, bool]:
        if isinstance(error, CancelledError):  # at shutdown or with its scheduler, by no fault of its own
            return JobState.QUEUED, self._store.jobs.release(job)
        if isinstance(error, BrokenExecutor):
            return self._after_a_death(job)
        if isinstance(error, SpheroscopeError) and not error.may_pass:
            return JobState.FAILED, self._store.jobs.fail(job, error)
        if not isinstance(error, SpheroscopeError):
            log.error("event=job.raised job=%s attempt=%d", job.id, job.attempt, exc_info=error)
        said = error if isinstance(error, SpheroscopeError) else _unexpected(error)
        if job.attempt >= self._max_attempts:
            return JobState.FAILED, self._store.jobs.fail(job, said)
        return JobState.QUEUED, self._store.jobs.put_back(job, said)

    def _after_a_death(self, job: Job) -> tuple[JobState, bool]:
        """A worker process died of this job or of one beside it: it runs alone next, up to its last crash."""
        if job.crashes + 1 >= self._max_attempts:
            failed = self._store.jobs.fail(job, CrashedRepeatedly.after(self._max_attempts))
            return JobState.FAILED, failed
        said = WorkersUnavailable("A worker ended while it segmented this image. It is tried again, alone.")
        return JobState.QUEUED, self._store.jobs.put_back(job, said, suspect=True)


def outcome_of(future: Future[Processed]) -> Processed | BaseException:
    """What a future that is done holds."""
    try:
        return future.exception() or future.result()
    except CancelledError as error:  # at shutdown, before it had begun
        return error


def _unexpected(error: BaseException) -> SegmentationError:
    if isinstance(error, MemoryError):
        return SegmentationError("There was not enough memory to segment this image.")
    return SegmentationError(f"Segmenting failed unexpectedly ({type(error).__name__}). The log has details.")
