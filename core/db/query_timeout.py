"""Interrupts statements that run for too long, so that one heavy search cannot hold up the rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import SearchTooSlow

LOOKS = 10  # within the time that is allowed: it is overdrawn by a tenth at most


class QueryTimeout:
    """A thread that looks at what is running, ten times within the time that one statement has.

    With ``timeout_ms`` None everything may take its time, and there is no thread.
    """

    def __init__(self, timeout_ms: float | None) -> None:
        self._seconds = (timeout_ms or 0.0) / 1000
        self._running: dict[int, tuple[float, Any]] = {}  # since when, and the cursor, by its id
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="db-watchdog", daemon=True)
        if timeout_ms is not None:
            self._thread.start()

    @contextmanager
    def watching(self, cursor: Any) -> Iterator[None]:
        """Have ``cursor`` interrupted if what runs in here takes too long: it raises InterruptException."""
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

    def stopped(self) -> SearchTooSlow:
        """What is told to whoever asked for what was interrupted."""
        return SearchTooSlow(
            f"This took longer than {self._seconds:g} s and was stopped. Narrow the search, or try again "
            "when less is going on; the setting QUERY_TIMEOUT_MS allows more."
        )

    def _look(self) -> None:
        while not self._stop.wait(self._seconds / LOOKS):
            late = time.monotonic() - self._seconds
            with self._lock:  # so that none of them ends now and has its next statement interrupted
                for since, cursor in self._running.values():
                    if since <= late:
                        cursor.interrupt()
