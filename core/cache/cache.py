"""The cache's interface, and the choice of its implementation.

A key names everything that its value depends on: a file's checksum, or a project's version, which changes
with every commit to that project. So a hit is never older than the last acknowledged write, and nothing has
to be invalidated. A lost, slow or damaged value is a miss.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from core.cache.counts import Counts, LookupHook
from core.cache.memory import MemoryCache
from core.cache.redis import RedisCache

T = TypeVar("T")


class Cache(Protocol):
    """Values by kind and key. Any thread may call every method, and none of them raises."""

    def get(self, kind: str, key: str) -> bytes | None:
        """The value, or None where it is not there."""

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The values that are there, by key."""

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Keep a value for as long as there is room."""

    def snapshot(self) -> dict[str, Any]:
        """Its size, and the counts since the start by kind."""

    def close(self) -> None:
        """Release what it holds."""


class NoCache:
    """Keeps nothing."""

    def __init__(self, on_lookup: LookupHook | None = None) -> None:
        self._counts = Counts(on_lookup)

    def get(self, kind: str, key: str) -> bytes | None:
        self._counts.lookup(kind, False)
        return None

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        for _ in keys:
            self._counts.lookup(kind, False)
        return {}

    def put(self, kind: str, key: str, value: bytes) -> None:
        pass

    def snapshot(self) -> dict[str, Any]:
        return {"backend": "off", "kinds": self._counts.by_kind()}

    def close(self) -> None:
        pass


def open_cache(enabled: bool, max_bytes: int, redis_url: str, on_lookup: LookupHook | None = None) -> Cache:
    """Return the cache that the settings ask for; a Redis that cannot be reached is no error."""
    if not enabled:
        return NoCache(on_lookup)
    memory = MemoryCache(max_bytes, on_lookup)
    return RedisCache.connect(redis_url, memory) if redis_url else memory


def cached(cache: Cache, kind: str, key: str, make: Callable[[], bytes]) -> bytes:
    """Return the value of ``key``; a miss is made and put."""
    if (value := cache.get(kind, key)) is None:
        value = make()
        cache.put(kind, key, value)
    return value


def cached_json(cache: Cache, kind: str, key: str, make: Callable[[], T]) -> T:
    """As ``cached``, for a value of JSON's types."""
    value: T = json.loads(cached(cache, kind, key, lambda: json.dumps(make()).encode()))
    return value
