"""Memory cache: the values used last, as many as fit into a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from core.cache.counts import Counts, LookupHook

ENTRY_BYTES = 250  # what Python takes for a key and its place, measured


class MemoryCache:
    """A Cache in this process: least recently used values go first."""

    def __init__(self, max_bytes: int, on_lookup: LookupHook | None = None) -> None:
        self.counts = Counts(on_lookup)
        self._max_bytes = max_bytes
        self._values: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, kind: str, key: str) -> bytes | None:
        value = self.peek(kind, key)
        self.counts.lookup(kind, value is not None)
        return value

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        return {key: value for key in keys if (value := self.get(kind, key)) is not None}

    def peek(self, kind: str, key: str) -> bytes | None:
        """As ``get``, without counting the lookup."""
        with self._lock:
            if (value := self._values.get((kind, key))) is not None:
                self._values.move_to_end((kind, key))
            return value

    def put(self, kind: str, key: str, value: bytes) -> None:
        size = len(value) + ENTRY_BYTES
        if size > self._max_bytes:
            return
        evicted: list[str] = []
        with self._lock:
            if (old := self._values.pop((kind, key), None)) is not None:
                self._bytes -= len(old) + ENTRY_BYTES
            self._values[kind, key] = value
            self._bytes += size
            while self._bytes > self._max_bytes:
                (evicted_kind, _), evicted_value = self._values.popitem(last=False)
                self._bytes -= len(evicted_value) + ENTRY_BYTES
                evicted.append(evicted_kind)
        self.counts.add(kind, puts=1)
        for evicted_kind in evicted:
            self.counts.add(evicted_kind, evictions=1)

    def snapshot(self) -> dict[str, Any]:
        return {
            "backend": "memory",
            "entries": len(self._values),
            "bytes": self._bytes,
            "max_bytes": self._max_bytes,
            "kinds": self.counts.by_kind(),
        }

    def close(self) -> None:
        with self._lock:
            self._values.clear()
            self._bytes = 0
