"""The table of jobs, which is the durable queue. Its protocol is described in core/queue/job_queue.py."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import CrashedRepeatedly, NotFound, QueueFull, SpheroscopeError
from core.listing.keyset import KeyValues, keys_of, order_by, rows_after
from core.models import Job, JobState, Page, Priority
from core.models.text import NO_PROJECT
from core.store.job_order import keys_of_jobs
from core.store.job_prefetch import JobPrefetch
from core.store.job_statuses import set_failed, set_requested, set_status, set_statuses
from core.store.job_totals import QueueTotals
from core.store.projects import require_project
from core.store.recipe import ANONYMOUS, JobRequest, Recipe
from core.store.rows import canonical_json, job_of

__all__ = ["JobStore", "QueueTotals"]

RATE_WINDOW = timedelta(minutes=2)


class JobStore:
    """The table of jobs. Methods may be called from any thread."""

    def __init__(self, db: Database, max_queued: int) -> None:
        self._db = db
        self._max_queued = max_queued
        self._prefetch = JobPrefetch(db)
        self._visible: list[str] | None = None

    def of_projects(self, visible: Sequence[str] | None) -> JobStore:
        """Return the same for the jobs of some projects alone; None is all projects."""
        narrowed = copy.copy(self)
        narrowed._visible = None if visible is None else list(visible)
        return narrowed

    def enqueue(
        self, project_id: str, image_ids: Sequence[str], recipe: Recipe, request: JobRequest = ANONYMOUS
    ) -> int:
        """Queue a job for each image of the project; return how many were queued.

        A job that waits or runs already keeps its place; deleted images are left out. Of several recipes for
        one image, the one requested last decides what is in force.

        Raises:
            NotFound: the project is not there.
            QueueFull: more would wait than the limit allows; then none is queued.
        """
        return self._db.write(lambda s: insert(s, project_id, image_ids, recipe, request, self._max_queued))

    def claim(self, boot_id: str, worker: str, fits: Callable[[Job], bool] = lambda _: True) -> Job | None:
        """Claim the next job: commit it as running, with its attempt counted, before its image is read.

        None where nothing waits, or where the next one does not fit now: none overtakes it, or a large image
        would wait for ever. ``fits`` may be called twice.
        """

        def work(session: Session) -> Job | None:
            row = self._prefetch.next(session)
            while row is not None:
                if not fits(job_of(row)):
                    return None
                claimed = {"attempt": row["attempt"] + 1, "worker": worker, "started_at": utc_now()}
                values = {"id": row["id"], "boot_id": boot_id, **claimed}
                if session.change("jobs.claim", values, {"id": row["id"]}):
                    set_status(session, row, "running")
                    return job_of(row | claimed | {"state": JobState.RUNNING, "finished_at": None})
                row = self._prefetch.read(session)
            return None

        return self._db.write(work)

    def fail(self, job: Job, error: SpheroscopeError) -> bool:
        """Record that a job has failed for good; False if it is no longer this attempt's."""
        return self._end(job, "jobs.fail", error, {"now": utc_now()})

    def put_back(self, job: Job, error: SpheroscopeError, *, suspect: bool = False) -> bool:
        """Queue a job again, behind the others of its person and priority, after an error that may pass.

        With ``suspect``, a process died of it or beside it: that is counted, and it will run alone.
        """
        return self._end(job, "jobs.put_back", error, {"suspect": suspect, "crashes": int(suspect)})

    def release(self, job: Job) -> bool:
        """Queue a job again in its old place, without an attempt: its worker was stopped."""
        return self._end(job, "jobs.release", None, {})

    def give_back(self, boot_id: str) -> int:
        """Queue again, at a shutdown, what still runs, in its old place and without an attempt."""

        def work(session: Session) -> int:
            rows = session.rows("jobs.give_back", {"boot_id": boot_id})
            set_statuses(session, rows, "queued")
            return len(rows)

        return self._db.write(work)

    def recover(self, max_crashes: int) -> int:
        """Queue again, at a start, jobs that an earlier process left running; fail those at their last crash.

        Returns how many were found.
        """
        error = CrashedRepeatedly.after(max_crashes)

        def work(session: Session) -> int:
            orphans = session.rows("jobs.orphans")
            values = {"error_code": error.code, "error": error.message, "now": utc_now()}
            failed = session.rows("jobs.fail_orphans", values | {"max_crashes": max_crashes})
            session.rows("jobs.requeue_orphans", {"max_crashes": max_crashes})
            set_statuses(session, orphans, "queued")
            for row in failed:
                set_failed(session, row, error)
            return len(orphans)

        return self._db.write(work)

    def cancel(self, ids: Sequence[str] | None = None, state: JobState | None = None) -> int:
        """Cancel these jobs, or all that stand in ``state``, or all that wait or run.

        A running one's result will be thrown away.
        """

        def work(session: Session) -> int:
            values: dict[str, Any] = {"now": utc_now(), "visible": self._visible}
            if ids is None and state is not None:
                rows = session.rows("jobs.cancel_state", values | {"state": state.value})
            else:
                values["ids"] = None if ids is None else list(ids)
                rows = session.rows("jobs.cancel", values | {"image_ids": None, "project_id": None})
            session.rows("images.settle", {"ids": [row["image_id"] for row in rows]})
            return len(rows)

        return self._db.write(work)

    def prioritise(self, priority: Priority, ids: Sequence[str] | None = None) -> int:
        """Set the priority of these waiting jobs, or of all that wait; return how many there are."""
        requested_ids = None if ids is None else list(ids)
        values = {"priority": priority.value, "ids": requested_ids, "visible": self._visible}

        def work(session: Session) -> int:
            rows = session.rows("jobs.prioritise", values)
            session.rows("jobs.leave_turns", {"priority": priority.value})
            session.rows("jobs.take_turns")
            return len(rows)

        return self._db.write(work)

    def retry(self, ids: Sequence[str] | None = None) -> int:
        """Queue these failed jobs, or all that failed, once more with fresh attempts."""

        def work(session: Session) -> int:
            requested_ids = None if ids is None else list(ids)
            rows = session.rows("jobs.retry", {"ids": requested_ids, "visible": self._visible})
            session.rows("jobs.take_turns")
            set_requested(session, rows)
            return len(rows)

        return self._db.write(work)

    def page(
        self,
        state: JobState | None,
        project_id: str | None = None,
        limit: int = 50,
        offset: int = 0,
        sort: str = "",
        after: KeyValues | None = None,
    ) -> Page[Job]:
        """A page of the jobs in one state, or of all; with ``after``, it begins behind those keys.

        Raises:
            NotFound: the project is not there.
            InvalidRequest: no such sort, or keys of another order.
        """
        keys = keys_of_jobs(state, sort)
        condition, bound = rows_after(keys, after)
        values: Row = {"state": state.value if state else None, "project_id": project_id}
        values |= {"visible": self._visible, **bound}
        window = {"limit": limit, "offset": offset if after is None else 0}
        with self._db.read() as session:
            rows = session.rows("jobs.page", values | window, order=order_by(keys), rows_after=condition)
            count = session.rows("jobs.count", values, rows_after=condition)[0]
        if not count["there"]:
            raise NotFound(NO_PROJECT)
        items, last = tuple(job_of(row) for row in rows), keys_of(keys, rows[-1]) if rows else ()
        return Page(items, count["total"], offset if after is None else count["before"], limit, last)

    def ids(
        self, state: JobState, without: Sequence[str] = (), project_id: str | None = None
    ) -> tuple[str, ...]:
        """Every job in ``state``, of one project or all, but some."""
        values = {"state": state.value, "without": list(without), "project_id": project_id}
        with self._db.read() as session:
            rows = session.rows("jobs.ids", values | {"visible": self._visible})
        return tuple(row["id"] for row in rows)

    def totals(self) -> QueueTotals:
        """Counts by state and the rate of the last two minutes."""
        now = utc_now()
        with self._db.read() as session:
            rows = session.rows("jobs.totals", {"since": now - RATE_WINDOW, "visible": self._visible})
        counts = dict.fromkeys(JobState, 0) | {JobState(row["state"]): row["total"] for row in rows}
        ended = next((row for row in rows if row["state"] == JobState.DONE and row["recent"]), None)
        if ended is None:
            return QueueTotals(counts, None)
        seconds = max((now - ended["recent_from"]).total_seconds(), 0.1)
        return QueueTotals(counts, ended["recent"] / seconds)

    def _end(self, job: Job, statement: str, error: SpheroscopeError | None, extra: dict[str, Any]) -> bool:
        """End a try with the outcome that ``statement`` records; False if it is no longer this attempt's."""
        values: dict[str, Any] = {"id": job.id, "attempt": job.attempt, "sequence": job.sequence, **extra}
        if error is not None:
            values |= {"error_code": error.code, "error": error.message}

        def work(session: Session) -> bool:
            row = session.one(statement, values)
            if row is None:
                return False
            if error is not None and statement == "jobs.fail":
                set_failed(session, row, error)
            else:
                set_status(session, row, "queued")
            if statement == "jobs.put_back":
                session.rows("jobs.take_turns")
            return True

        return self._db.write(work)


def insert(
    session: Session,
    project_id: str,
    image_ids: Sequence[str],
    recipe: Recipe,
    request: JobRequest,
    max_queued: int,
) -> int:
    """Queue jobs within a transaction of the caller's; see JobStore.enqueue."""
    if not image_ids:
        return 0
    require_project(session, project_id)  # refuses a project that is gone
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
        params=pl.lit(canonical_json(dict(recipe.params))),
    )
    repeated = session.rows_from("jobs.repeat", frame, {"project_id": project_id})
    values = {"now": utc_now(), "project_id": project_id}
    values |= {"priority": request.priority.value, "requested_by": request.requested_by}
    queued = session.rows_from("jobs.again", frame, values) + session.rows_from("jobs.add", frame, values)
    waiting = session.rows("jobs.waiting")[0]["total"]
    if queued and waiting > max_queued:
        raise QueueFull(
            f"{waiting - len(queued)} images are waiting and {max_queued} may wait at once. "
            "Try again when some are done."
        )
    if queued:
        session.rows("jobs.take_turns")
    set_requested(session, queued + repeated)
    return len(queued)
