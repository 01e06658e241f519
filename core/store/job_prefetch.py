"""Prefetch of waiting jobs: finding the next one among a hundred thousand takes milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from core.db import Database, Row, Session
from core.db.session import ExecutedStatement
from core.listing.keyset import order_by
from core.models import JobState
from core.store.job_order import keys_of_jobs

PREFETCHED_JOBS = 64
_IN_ORDER = frozenset({"jobs.claim", "jobs.finish", "jobs.fail", "jobs.page", "jobs.count", "jobs.waiting"})


class JobPrefetch:
    """Waiting jobs in their order, read some at a time, and again after a change of the order.

    Only for the writer's thread. It may be stale: a claim checks that the job still waits.
    """

    def __init__(self, db: Database) -> None:
        self._rows: list[Row] = []
        self._read_in: Session | None = None  # a transaction that is not committed, or never was
        db.add_commit_hook(self._on_commit)

    def next(self, session: Session) -> Row | None:
        """Return the row of the next job with its image, as jobs.page has it; None where none waits."""
        if self._read_in is not None and self._read_in is not session:
            self._rows = []
        claimed_ids = _claimed_ids(session.executed)
        next_row = next((row for row in self._rows if row["id"] not in claimed_ids), None)
        return next_row or self.read(session)

    def read(self, session: Session) -> Row | None:
        """Return the same, read from the table."""
        conditions = {"state": JobState.QUEUED.value, "project_id": None, "visible": None}
        values: Row = conditions | {"limit": PREFETCHED_JOBS, "offset": 0}
        order = order_by(keys_of_jobs(JobState.QUEUED))
        self._rows = session.rows("jobs.page", values, order=order, rows_after="true")
        self._read_in = session
        return self._rows[0] if self._rows else None

    @contextmanager
    def _on_commit(self, session: Session, executed: Sequence[ExecutedStatement]) -> Iterator[None]:
        yield
        if self._read_in is session:
            self._read_in = None
        in_order = all(name in _IN_ORDER for name, _ in executed if name.startswith("jobs."))
        claimed_ids = _claimed_ids(executed)
        self._rows = [row for row in self._rows if row["id"] not in claimed_ids] if in_order else []


def _claimed_ids(executed: Sequence[ExecutedStatement]) -> set[str]:
    return {row["id"] for name, rows in executed if name == "jobs.claim" for row in rows}
