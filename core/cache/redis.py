"""Redis cache: failures cost latency, never errors.

Every call ends within the timeout, since the client does not retry. After some failures in a row, or one call
that took too long, a breaker skips Redis for a while and the memory cache takes over. Each value carries a
CRC-32 over its key and itself, so a damaged or misplaced one is a miss. Values are never executed.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.cache.counts import Counts
from core.cache.memory import MemoryCache

log = logging.getLogger(__name__)
T = TypeVar("T")

TIMEOUT_SECONDS = 0.1
FAILURES, PAUSE_SECONDS = 3, 5.0  # in a row until the breaker opens, and how long it stays open
EXPIRY_SECONDS = 24 * 3600  # nobody asks for the keys of former project versions
MAX_BYTES = 2**20  # larger values take too long on the way and stay in this process
CHECKSUM_BYTES = 4
_PREFIX = "spheroscope:2"


class Breaker:
    """Circuit breaker: opens after FAILURES in a row, then lets one call through after each pause.

    pybreaker would do for the counting, but it holds a lock during each call, so one slow call would hold up
    all others, and a call that succeeds too late cannot open it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._retry_at = 0.0
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether calls are skipped."""
        return self._failures >= FAILURES

    def allows(self) -> bool:
        """Whether a call may be made; after a pause, True for one caller only."""
        with self._lock:
            if not self.open:
                return True
            now = self._clock()
            if now < self._retry_at:
                return False
            self._retry_at = now + PAUSE_SECONDS
            return True

    def succeeded(self) -> None:
        """Close the breaker."""
        with self._lock:
            if self.open:
                log.info("event=cache.redis_back")
            self._failures = 0

    def failed(self, reason: str, at_once: bool = False) -> None:
        """Count a failure; ``at_once`` opens the breaker whatever came before."""
        with self._lock:
            was_open = self.open
            self._failures = FAILURES if at_once else self._failures + 1
            if self.open and not was_open:
                log.warning("event=cache.redis_away reason=%s", reason)
            self._retry_at = self._clock() + PAUSE_SECONDS


class RedisCache:
    """A Cache in Redis. ``memory`` takes values too large for it, and all while the breaker is open."""

    def __init__(self, client: redis.Redis, memory: MemoryCache, breaker: Breaker | None = None) -> None:
        self._client = client
        self._memory = memory
        self._breaker = breaker or Breaker()
        self._counts: Counts = memory.counts

    @classmethod
    def connect(cls, url: str, memory: MemoryCache) -> RedisCache:
        """Return a cache in the Redis at ``url``, which need not be running yet."""
        client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        return cls(client, memory)

    def get(self, kind: str, key: str) -> bytes | None:
        return self.get_many(kind, [key]).get(key)

    def get_many(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        local = {key: value for key in keys if (value := self._memory.peek(kind, key)) is not None}
        remote = [key for key in keys if key not in local]
        values = local | (self._load(kind, remote) if remote else {})
        for key in keys:
            self._counts.lookup(kind, key in values)
        return values

    def put(self, kind: str, key: str, value: bytes) -> None:
        if len(value) > MAX_BYTES or self._breaker.open:
            self._memory.put(kind, key, value)
            return
        name = _name(kind, key)
        packed = _checksum(name, value) + value
        if self._call(lambda: self._client.set(name, packed, ex=EXPIRY_SECONDS)):
            self._counts.add(kind, puts=1)
        else:
            self._memory.put(kind, key, value)

    def snapshot(self) -> dict[str, Any]:
        return self._memory.snapshot() | {"backend": "redis", "away": self.away}

    def answers(self) -> bool:
        """Ping the server now; while the breaker is open, only once in each pause."""
        return bool(self._call(self._client.ping))

    @property
    def away(self) -> bool:
        """Whether Redis is skipped at present."""
        return self._breaker.open

    def close(self) -> None:
        self._memory.close()
        self._client.close()

    def _load(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """The intact values of ``keys``; a damaged one is deleted."""
        names = [_name(kind, key) for key in keys]
        replies = self._call(lambda: self._client.mget(names))
        if not isinstance(replies, list) or len(replies) != len(keys):
            return {}
        values: dict[str, bytes] = {}
        for key, name, reply in zip(keys, names, replies, strict=True):
            if (value := _unpacked(name, reply)) is not None:
                values[key] = value
            elif reply is not None:
                self._counts.add(kind, damaged=1)
                self._call(partial(self._client.delete, name))
        return values

    def _call(self, command: Callable[[], T]) -> T | None:
        """The reply; None where there is none in time."""
        if not self._breaker.allows():
            return None
        start = time.perf_counter()
        try:
            reply = command()
        except Exception as error:  # a server that is down, or no Redis, may make the client raise anything
            self._breaker.failed(type(error).__name__, at_once=_too_long(start))
            return None
        if _too_long(start):  # it came drop by drop
            self._breaker.failed("slow", at_once=True)
        else:
            self._breaker.succeeded()
        return reply


def _too_long(start: float) -> bool:
    return time.perf_counter() - start >= TIMEOUT_SECONDS


def _name(kind: str, key: str) -> str:
    return f"{_PREFIX}:{kind}:{key}"


def _checksum(name: str, value: bytes) -> bytes:
    return zlib.crc32(value, zlib.crc32(name.encode())).to_bytes(CHECKSUM_BYTES, "big")


def _unpacked(name: str, reply: object) -> bytes | None:
    if not isinstance(reply, bytes):
        return None
    value = reply[CHECKSUM_BYTES:]
    return value if reply[:CHECKSUM_BYTES] == _checksum(name, value) else None
