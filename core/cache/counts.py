"""Cache statistics, by kind of value."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass

LookupHook = Callable[[str, bool], None]  # called with the kind of every lookup, and whether it was a hit


@dataclass(slots=True)
class KindCounts:
    """Events of one kind since the start. ``damaged``: found, but not as they had been put."""

    hits: int = 0
    misses: int = 0
    puts: int = 0
    evictions: int = 0
    damaged: int = 0


class Counts:
    """Thread-safe event counts; ``on_lookup`` is called with every lookup."""

    def __init__(self, on_lookup: LookupHook | None = None) -> None:
        self._on_lookup = on_lookup
        self._kinds: dict[str, KindCounts] = {}
        self._lock = threading.Lock()

    def lookup(self, kind: str, hit: bool) -> None:
        """Count a hit or a miss."""
        self.add(kind, hits=int(hit), misses=int(not hit))
        if self._on_lookup is not None:
            self._on_lookup(kind, hit)

    def add(self, kind: str, **events: int) -> None:
        """Add to the counts of a kind, by their names in KindCounts."""
        with self._lock:
            counts = self._kinds.setdefault(kind, KindCounts())
            for name, number in events.items():
                setattr(counts, name, getattr(counts, name) + number)

    def by_kind(self) -> dict[str, dict[str, int]]:
        """Plain values of every kind seen so far."""
        with self._lock:
            return {kind: asdict(counts) for kind, counts in self._kinds.items()}
