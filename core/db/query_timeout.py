"""Query timeout: interrupts statements that run too long, so one heavy search cannot hold up the rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import SearchTooSlow

CHECKS_PER_TIMEOUT = 10  # so a statement runs a tenth longer than the timeout at most


class QueryTimeout:
    """A thread that interrupts statements older than ``timeout_ms``; with None there is no thread."""

    def __init__(self, timeout_ms: float | None) -> None:
        self._seconds = (timeout_ms or 0.0) / 1000
        self._running: dict[int, tuple[float, Any]] = {}  # start time and cursor, by the cursor's id
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="db-timeout", daemon=True)
        if timeout_ms is not None:
            self._thread.start()

    @contextmanager
    def watch(self, cursor: Any) -> Iterator[None]:
        """Interrupt ``cursor``, which then raises InterruptException, if the block takes too long."""
        with self._lock:
            self._running[id(cursor)] = time.monotonic(), cursor
        try:
            yield
        finally:
            with self._lock:
                del self._running[id(cursor)]

    def close(self) -> None:
        """End the thread; nothing is interrupted any more."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def error(self) -> SearchTooSlow:
        """The error for the caller of an interrupted statement."""
        return SearchTooSlow(
            f"This took longer than {self._seconds:g} s and was stopped. Narrow the search, or try again "
            "when less is going on; the setting QUERY_TIMEOUT_MS allows more."
        )

    def _loop(self) -> None:
        while not self._stop.wait(self._seconds / CHECKS_PER_TIMEOUT):
            latest_start = time.monotonic() - self._seconds
            with self._lock:  # or one might end now and have its next statement interrupted
                for start, cursor in self._running.values():
                    if start <= latest_start:
                        cursor.interrupt()
