"""Commit hook: reports images whose jobs were cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from core.db.session import ExecutedStatement, Session

CANCEL_STATEMENTS = ("jobs.cancel", "jobs.cancel_state")


@contextmanager
def cancellation_hook(
    cancel_running: Callable[[frozenset[str]], None], _session: Session, executed: Sequence[ExecutedStatement]
) -> Iterator[None]:
    """A hook for ``Database.add_commit_hook``, once ``cancel_running`` is bound: it gets the images' ids."""
    image_ids = frozenset(
        row["image_id"] for name, rows in executed if name in CANCEL_STATEMENTS for row in rows
    )
    yield
    if image_ids:
        cancel_running(image_ids)
