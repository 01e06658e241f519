"""Cache of bytes that cost more to compute than to keep: in this process, or in Redis where it is configured.

It changes speed and nothing else: a value that is lost, late or damaged is a miss.
Only this room imports redis.
"""

from __future__ import annotations

from core.cache.cache import Cache, NoCache, cached, cached_json, open_cache
from core.cache.counts import LookupHook
from core.cache.memory import MemoryCache
from core.cache.redis import RedisCache

__all__ = [
    "Cache",
    "LookupHook",
    "MemoryCache",
    "NoCache",
    "RedisCache",
    "cached",
    "cached_json",
    "open_cache",
]
