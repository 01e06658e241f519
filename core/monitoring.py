"""What the parts report of themselves: so far, every database statement with its duration."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class QueryStats:
    """All calls of one named statement since the start."""

    name: str
    calls: int = 0
    total_ms: float = 0.0
    worst_ms: float = 0.0
    slow: int = 0


@dataclass(frozen=True, slots=True)
class QueryRecord:
    """One call of a named statement. Names only: no values, so no user's text can leak from here."""

    name: str
    ms: float
    rows: int


class QueryRecorder:
    """Counts statements by name and keeps the latest ones; safe from any thread."""

    def __init__(self, slow_ms: float = 100.0, keep: int = 2000) -> None:
        self.slow_ms = slow_ms
        self._latest: deque[QueryRecord] = deque(maxlen=keep)
        self._stats: dict[str, QueryStats] = {}
        self._lock = threading.Lock()

    def record(self, name: str, ms: float, rows: int) -> None:
        """Add one call that took ``ms`` milliseconds, fetching included, and gave ``rows`` rows."""
        with self._lock:
            self._latest.append(QueryRecord(name, ms, rows))
            old = self._stats.get(name) or QueryStats(name)
            self._stats[name] = replace(
                old,
                calls=old.calls + 1,
                total_ms=old.total_ms + ms,
                worst_ms=max(old.worst_ms, ms),
                slow=old.slow + (ms > self.slow_ms),
            )

    def latest(self) -> tuple[QueryRecord, ...]:
        """The latest calls, oldest first."""
        with self._lock:
            return tuple(self._latest)

    def stats(self) -> tuple[QueryStats, ...]:
        """Every statement seen, the one that took most time in all first."""
        with self._lock:
            return tuple(sorted(self._stats.values(), key=lambda s: -s.total_ms))
