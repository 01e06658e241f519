"""Images that nobody wants segmented any more, told of as soon as whatever cancelled them is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from core.db.session import ExecutedStatement, Session

CANCELS = ("jobs.cancel", "jobs.cancel_state")


@contextmanager
def abandoning(
    abandon: Callable[[frozenset[str]], None], _session: Session, ran: Sequence[ExecutedStatement]
) -> Iterator[None]:
    """A follower of transactions, once ``abandon``, which takes the images' ids, has been given to it."""
    gone = frozenset(row["image_id"] for name, rows in ran if name in CANCELS for row in rows)
    yield
    if gone:
        abandon(gone)
