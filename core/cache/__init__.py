"""Bytes that cost more to compute than to keep: in this process, or in Redis where one is configured.

A cache changes speed and nothing else: one that is lost, slow or wrong is a miss.
Only this room imports redis.
"""

from __future__ import annotations

from core.cache.cache import Cache, NoCache, open_cache, remembered, remembered_json
from core.cache.counts import Look
from core.cache.memory import MemoryCache
from core.cache.redis import RedisCache

__all__ = [
    "Cache",
    "Look",
    "MemoryCache",
    "NoCache",
    "RedisCache",
    "open_cache",
    "remembered",
    "remembered_json",
]
