"""The values used last, as many as fit into a number of bytes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from core.cache.counts import Counts, Held, LookupHook

ENTRY_BYTES = 250  # what Python takes for a key and its place, measured


class MemoryCache:
    """A Cache in this process."""

    def __init__(
        self, max_bytes: int, look: LookupHook | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.counts = Counts(look)
        self._max_bytes = max_bytes
        self._clock = clock
        self._items: OrderedDict[tuple[str, str], tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, kind: str, key: str) -> bytes | None:
        found = self.peek(kind, key)
        self.counts.looked(kind, None if found is None else self._clock() - found[1])
        return None if found is None else found[0]

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        return {key: value for key in keys if (value := self.get(kind, key)) is not None}

    def peek(self, kind: str, key: str) -> tuple[bytes, float] | None:
        """The value and when it was put; the look is not counted."""
        with self._lock:
            if (found := self._items.get((kind, key))) is not None:
                self._items.move_to_end((kind, key))
            return found

    def put(self, kind: str, key: str, value: bytes) -> None:
        size = len(value) + ENTRY_BYTES
        if size > self._max_bytes:
            return
        evicted: list[str] = []
        with self._lock:
            if (old := self._items.pop((kind, key), None)) is not None:
                self._bytes -= len(old[0]) + ENTRY_BYTES
            self._items[kind, key] = value, self._clock()
            self._bytes += size
            while self._bytes > self._max_bytes:
                (oldest, _), (gone, _) = self._items.popitem(last=False)
                self._bytes -= len(gone) + ENTRY_BYTES
                evicted.append(oldest)
        self.counts.add(kind, puts=1)
        for other in evicted:
            self.counts.add(other, evictions=1)

    def snapshot(self) -> dict[str, Any]:
        return {
            "backend": "memory",
            "bytes": self._bytes,
            "max_bytes": self._max_bytes,
            "kinds": self.counts.by_kind(self.held()),
        }

    def held(self) -> dict[str, Held]:
        """What each kind takes up."""
        now = self._clock()
        with self._lock:
            items = [(kind, len(value), now - put) for (kind, _), (value, put) in self._items.items()]
        ages: dict[str, list[tuple[int, float]]] = {}
        for kind, size, age in items:
            ages.setdefault(kind, []).append((size, age))
        return {
            kind: Held(
                entries=len(found),
                n_bytes=sum(size + ENTRY_BYTES for size, _ in found),
                mean_age=sum(age for _, age in found) / len(found),
                oldest=max(age for _, age in found),
            )
            for kind, found in ages.items()
        }

    def close(self) -> None:
        with self._lock:
            self._items.clear()
            self._bytes = 0
