"""Bytes that cost more to make than to keep: in this process, or in Redis where there is one.

A key names everything that its value depends on: a file's checksum, or a project's generation, which moves
with every commit to that project. So what is found is never older than the last write that anyone has
heard of, and nothing is ever deleted for being old. A cache changes speed and nothing else: one that is
lost, slow or wrong is a miss.
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
        """Those of the values that are there, by key."""

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Keep a value for as long as there is room."""

    def snapshot(self) -> dict[str, Any]:
        """What it holds and what has happened since the start, by kind."""

    def close(self) -> None:
        """Let go of what it holds."""


class NoCache:
    """Keeps nothing."""

    def __init__(self, look: LookupHook | None = None) -> None:
        self._counts = Counts(look)

    def get(self, kind: str, key: str) -> bytes | None:
        self._counts.looked(kind, None)
        return None

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        for _ in keys:
            self._counts.looked(kind, None)
        return {}

    def put(self, kind: str, key: str, value: bytes) -> None:
        pass

    def snapshot(self) -> dict[str, Any]:
        return {"backend": "off", "kinds": self._counts.by_kind({})}

    def close(self) -> None:
        pass


def open_cache(enabled: bool, max_bytes: int, redis_url: str, look: LookupHook | None = None) -> Cache:
    """The cache that the settings ask for; a Redis that is not there is no error."""
    if not enabled:
        return NoCache(look)
    memory = MemoryCache(max_bytes, look)
    return RedisCache.connect(redis_url, memory) if redis_url else memory


def cached(cache: Cache, kind: str, key: str, make: Callable[[], bytes]) -> bytes:
    """The value under ``key``, made and kept where it is not there."""
    if (found := cache.get(kind, key)) is not None:
        return found
    made = make()
    cache.put(kind, key, made)
    return made


def cached_json(cache: Cache, kind: str, key: str, make: Callable[[], T]) -> T:
    """The same for what JSON can say."""
    found: T = json.loads(cached(cache, kind, key, lambda: json.dumps(make()).encode()))
    return found
