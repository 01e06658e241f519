"""What was read of accounts, kept until anything about access changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from core.db import Database, Session
from core.db.session import ExecutedStatement

T = TypeVar("T")

MAX_VALUES = 10_000
_CHANGING = ("accounts.", "sessions.", "members.", "projects.")  # files of statements


class AccessCache:
    """Values by key; a commit that changes accounts, sessions, members or projects empties it."""

    def __init__(self, db: Database) -> None:
        self._values: dict[str, object] = {}
        self._changes = 0
        self._lock = threading.Lock()
        db.add_commit_hook(self._on_commit)

    def get(self, key: str, read: Callable[[], T]) -> T:
        """Return the value under ``key``, of ``read`` where there is none."""
        if key in (values := self._values):
            return cast(T, values[key])
        changes = self._changes  # before reading: what is read may be newer than is kept, never older
        value = read()
        with self._lock:
            if changes == self._changes and len(self._values) < MAX_VALUES:
                self._values[key] = value
        return value

    @contextmanager
    def _on_commit(self, _session: Session, executed: Sequence[ExecutedStatement]) -> Iterator[None]:
        changed = any(name.startswith(_CHANGING) for name, _ in executed)
        try:
            yield
        finally:  # of a commit that failed, too
            if changed:
                with self._lock:
                    self._changes += 1
                    self._values = {}
