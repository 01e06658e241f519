"""Jobs: the durable queue's table. The protocol, step by step, is in core/queue.py."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from core.db import Database, Session
from core.errors import CrashedRepeatedly, QueueFull, SpheroscopeError
from core.models import Job, JobState, Page
from core.store.projects import pixel_size_of
from core.store.rows import compact, job_of, utc_now

_ORDERS = {
    None: "sequence DESC",
    JobState.QUEUED: "suspect DESC, sequence",
    JobState.RUNNING: "started_at, sequence",
    JobState.DONE: "finished_at DESC, sequence DESC",
    JobState.FAILED: "finished_at DESC, sequence DESC",
    JobState.CANCELLED: "finished_at DESC, sequence DESC",
}
RATE_WINDOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How images are to be segmented."""

    engine: str
    engine_version: str
    params: Mapping[str, object]

    def job_id(self, image_id: str) -> str:
        """The same image, engine, weights and parameters always give the same job."""
        text = compact([image_id, self.engine, self.engine_version, dict(self.params)])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class QueueTotals:
    """How many jobs stand where, and how fast they have been ending."""

    counts: Mapping[JobState, int]
    per_second: float | None

    @property
    def left(self) -> int:
        return self.counts[JobState.QUEUED] + self.counts[JobState.RUNNING]

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the rate of the last minutes; None where nothing has ended lately."""
        return self.left / self.per_second if self.per_second else None


class JobStore:
    """Everything asked of the job table."""

    def __init__(self, db: Database, max_queued: int) -> None:
        self._db = db
        self._max_queued = max_queued

    def enqueue(self, project_id: str, image_ids: Sequence[str], recipe: Recipe) -> int:
        """Queue a job for each image of the project; return how many are new.

        One that waits or runs already is left as it is; an image that has been deleted is passed over.

        Raises:
            NotFound: the project is not there.
            QueueFull: more would wait than the limit allows; then none is queued.
        """
        return self._db.write(lambda s: insert(s, project_id, image_ids, recipe, self._max_queued))

    def claim(self, boot_id: str, worker: str) -> Job | None:
        """Take the next job: committed as running, attempt counted, before a pixel of it is read."""

        def work(session: Session) -> Job | None:
            row = session.one("jobs.claim", {"boot_id": boot_id, "worker": worker, "now": utc_now()})
            if row is None:
                return None
            _mark(session, row["image_id"], "running")
            image = session.rows("images.get_any", {"id": row["image_id"]})[0]
            return job_of(
                row | {key: image[key] for key in ("sha256", "page")} | {"image_name": image["name"]}
            )

        return self._db.write(work)

    def fail(self, job: Job, error: SpheroscopeError) -> bool:
        """Record that a job has failed for good; False if it was no longer this attempt's to say."""
        return self._end(job, "jobs.fail", "failed", error)

    def put_back(self, job: Job, error: SpheroscopeError) -> bool:
        """Queue a job again, behind the others, after an error that may pass."""
        return self._end(job, "jobs.put_back", "queued", error)

    def recover(self, max_attempts: int) -> int:
        """At start-up every running job is an orphan: queue it alone, or fail it at its last attempt.

        Returns how many were found.
        """
        error = CrashedRepeatedly(
            f"This image ended the program {max_attempts} times and is not tried again. "
            "Look at the file, or try other settings."
        )

        def work(session: Session) -> int:
            orphans = session.rows("jobs.orphans")
            values = {"error_code": error.code, "error": error.message, "now": utc_now()}
            failed = session.rows("jobs.fail_orphans", values | {"max_attempts": max_attempts})
            session.rows("jobs.requeue_orphans", {"max_attempts": max_attempts})
            for row in orphans:
                _mark(session, row["image_id"], "queued")
            for row in failed:
                _mark(session, row["image_id"], "failed", error)
            return len(orphans)

        return self._db.write(work)

    def cancel(self, ids: Sequence[str] | None = None) -> int:
        """Cancel these jobs, or all that wait or run; a running one's result will be thrown away."""

        def work(session: Session) -> int:
            values: dict[str, Any] = {"ids": None if ids is None else list(ids), "now": utc_now()}
            rows = session.rows("jobs.cancel", values | {"image_ids": None, "project_id": None})
            session.rows("images.settle", {"ids": [row["image_id"] for row in rows]})
            return len(rows)

        return self._db.write(work)

    def retry(self, ids: Sequence[str] | None = None) -> int:
        """Queue these failed jobs, or all that failed, once more with fresh attempts."""

        def work(session: Session) -> int:
            rows = session.rows("jobs.retry", {"ids": None if ids is None else list(ids)})
            _mark_all(session, [row["image_id"] for row in rows], "queued")
            return len(rows)

        return self._db.write(work)

    def page(
        self, state: JobState | None, project_id: str | None = None, limit: int = 50, offset: int = 0
    ) -> Page[Job]:
        """A page of the jobs in one state: waiting ones in their order, ended ones latest first.

        With ``state`` None, of all jobs, the one asked for last first.
        """
        values = {"state": state.value if state else None, "project_id": project_id}
        with self._db.read() as session:
            order = _ORDERS[state]
            rows = session.rows("jobs.page", {**values, "limit": limit, "offset": offset}, order=order)
            total = session.rows("jobs.count", values)[0]["total"]
        return Page(tuple(job_of(row) for row in rows), total, offset, limit)

    def totals(self) -> QueueTotals:
        """Counts by state and the rate of the last two minutes."""
        now = utc_now()
        with self._db.read() as session:
            rows = session.rows("jobs.totals", {"since": now - RATE_WINDOW})
        counts = dict.fromkeys(JobState, 0) | {JobState(row["state"]): row["total"] for row in rows}
        ended = next((row for row in rows if row["state"] == JobState.DONE and row["recent"]), None)
        if ended is None:
            return QueueTotals(counts, None)
        seconds = max((now - ended["recent_from"]).total_seconds(), 0.1)
        return QueueTotals(counts, ended["recent"] / seconds)

    def _end(self, job: Job, statement: str, status: str, error: SpheroscopeError) -> bool:
        values: dict[str, Any] = {"id": job.id, "attempt": job.attempt, "sequence": job.sequence}
        values |= {"error_code": error.code, "error": error.message}
        if statement == "jobs.fail":
            values["now"] = utc_now()

        def work(session: Session) -> bool:
            mine = bool(session.rows(statement, values))
            if mine:
                _mark(session, job.image_id, status, error if status == "failed" else None)
            return mine

        return self._db.write(work)


def insert(
    session: Session, project_id: str, image_ids: Sequence[str], recipe: Recipe, max_queued: int
) -> int:
    """Queue jobs within a transaction of the caller's; see JobStore.enqueue."""
    if not image_ids:
        return 0
    pixel_size_of(session, project_id)  # refuses a project that is gone
    unique = list(dict.fromkeys(image_ids))
    frame = pl.DataFrame(
        {
            "id": [recipe.job_id(image_id) for image_id in unique],
            "image_id": unique,
            "place": range(len(unique)),
        }
    ).with_columns(
        engine=pl.lit(recipe.engine),
        engine_version=pl.lit(recipe.engine_version),
        params=pl.lit(compact(dict(recipe.params))),
    )
    values = {"now": utc_now(), "project_id": project_id}
    queued = session.rows_from("jobs.again", frame, values) + session.rows_from("jobs.add", frame, values)
    waiting = session.rows("jobs.waiting")[0]["total"]
    if queued and waiting > max_queued:
        raise QueueFull(
            f"{waiting - len(queued)} images are waiting and {max_queued} may wait at once. "
            "Try again when some are done."
        )
    _mark_all(session, [row["image_id"] for row in queued], "queued")
    return len(queued)


def _mark(session: Session, image_id: str, status: str, error: SpheroscopeError | None = None) -> None:
    values = {
        "id": image_id,
        "status": status,
        "error_code": error.code if error else None,
        "error": error.message if error else None,
    }
    session.rows("images.set_state", values)


def _mark_all(session: Session, image_ids: Sequence[str], status: str) -> None:
    if image_ids:
        frame = pl.DataFrame({"id": list(image_ids), "status": [status] * len(image_ids)})
        session.rows_from("images.set_status", frame)
