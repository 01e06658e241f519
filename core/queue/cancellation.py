"""Commit hook: reports images whose jobs were cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from core.db.session import ExecutedStatement, Session

CANCELS = ("jobs.cancel", "jobs.cancel_state")


@contextmanager
def abandoning(
    abandon: Callable[[frozenset[str]], None], _session: Session, ran: Sequence[ExecutedStatement]
) -> Iterator[None]:
    """A hook for ``Database.add_commit_hook``, once ``abandon`` is bound: it gets the images' ids."""
    gone = frozenset(row["image_id"] for name, rows in ran if name in CANCELS for row in rows)
    yield
    if gone:
        abandon(gone)
