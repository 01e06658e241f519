"""Redis as a cache that may fail in any way without anyone but the clock noticing.

Every call ends within the timeout, since the client neither retries nor waits longer for a word; after a few
failures in a row, or one call that took too long, the breaker keeps all calls from it for a while. What comes
back is believed only with its seal: the checksum covers the key, so a value of another key or version is a
miss like any damage. Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import logging
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.cache.counts import Counts
from core.cache.memory import MemoryCache

log = logging.getLogger(__name__)
T = TypeVar("T")

TIMEOUT_SECONDS = 0.1
FAILURES, PAUSE_SECONDS = 3, 5.0  # in a row until the breaker opens, and how long it stays so
KEPT_SECONDS = 24 * 3600  # keys of former generations are asked for by nobody
MOST_BYTES = 2**20  # what is larger takes too long on the way, and stays in this process
_PREFIX = "spheroscope:1"
_HEAD = struct.Struct("<d16s")  # when it was put (seconds since 1970), and the seal


class Breaker:
    """Opens after several failures in a row; then lets one call try at each end of a pause."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_from = 0.0
        self._lock = threading.Lock()

    @property
    def open(self) -> bool:
        """Whether calls are kept away."""
        return self._failures >= FAILURES

    def allows(self) -> bool:
        """Whether a call may be made; after a pause, yes to one caller only."""
        with self._lock:
            if not self.open:
                return True
            now = self._clock()
            if now < self._closed_from:
                return False
            self._closed_from = now + PAUSE_SECONDS
            return True

    def succeeded(self) -> None:
        with self._lock:
            if self.open:
                log.info("event=cache.redis_back")
            self._failures = 0

    def failed(self, reason: str, at_once: bool = False) -> None:
        """Count a failure; ``at_once`` opens the breaker whatever came before."""
        with self._lock:
            before = self.open
            self._failures = FAILURES if at_once else self._failures + 1
            if self.open and not before:
                log.warning("event=cache.redis_away reason=%s", reason)
            self._closed_from = self._clock() + PAUSE_SECONDS


class RedisCache:
    """A Cache in Redis. ``memory`` takes what is too large for it, and everything while it is away."""

    def __init__(self, client: redis.Redis, memory: MemoryCache, breaker: Breaker | None = None) -> None:
        self._client = client
        self._memory = memory
        self._breaker = breaker or Breaker()
        self._counts: Counts = memory.counts

    @classmethod
    def connect(cls, url: str, memory: MemoryCache) -> RedisCache:
        """Use the Redis at ``url``, as soon as it is there."""
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
        found: dict[str, bytes] = {}
        away: list[str] = []
        for key in keys:
            if self._memory.peek(kind, key) is None:
                away.append(key)
            elif (value := self._memory.get(kind, key)) is not None:
                found[key] = value
        answers = self._call(lambda: self._client.mget([_name(kind, key) for key in away])) if away else []
        if not isinstance(answers, list) or len(answers) != len(away):
            answers = [None] * len(away)
        for key, answer in zip(away, answers, strict=True):
            if (value := self._unsealed(kind, key, answer)) is not None:
                found[key] = value
        return found

    def put(self, kind: str, key: str, value: bytes) -> None:
        if len(value) > MOST_BYTES or self._breaker.open:
            self._memory.put(kind, key, value)
            return
        name = _name(kind, key)
        sealed = _sealed(name, time.time(), value)
        if self._call(lambda: self._client.set(name, sealed, ex=KEPT_SECONDS)):
            self._counts.add(kind, puts=1)
        else:
            self._memory.put(kind, key, value)

    def snapshot(self) -> dict[str, Any]:
        return self._memory.snapshot() | {"backend": "redis", "away": self.away}

    def answers(self) -> bool:
        """Ask the server now; while the breaker is open, only once in each pause."""
        return bool(self._call(self._client.ping))

    @property
    def away(self) -> bool:
        """Whether it is left alone, since it has failed several times in a row."""
        return self._breaker.open

    def close(self) -> None:
        self._memory.close()
        self._client.close()

    def _unsealed(self, kind: str, key: str, answer: object) -> bytes | None:
        if answer is None:
            self._counts.looked(kind, None)
            return None
        name = _name(kind, key)
        if isinstance(answer, bytes) and len(answer) >= _HEAD.size:
            put, seal = _HEAD.unpack_from(answer)
            value = answer[_HEAD.size :]
            if seal == _seal(name, put, value):
                self._counts.looked(kind, time.time() - put)
                return value
        self._counts.add(kind, damaged=1)
        self._counts.looked(kind, None)
        self._call(lambda: self._client.delete(name))
        return None

    def _call(self, ask: Callable[[], T]) -> T | None:
        """The answer; None where there is none in time."""
        if not self._breaker.allows():
            return None
        start = time.perf_counter()
        try:
            answer = ask()
        except Exception as error:  # a server that is down, or no Redis, may make the client raise anything
            self._breaker.failed(type(error).__name__, at_once=_too_long(start))
            return None
        if _too_long(start):  # it came drop by drop
            self._breaker.failed("slow", at_once=True)
        else:
            self._breaker.succeeded()
        return answer


def _too_long(start: float) -> bool:
    return time.perf_counter() - start >= TIMEOUT_SECONDS


def _name(kind: str, key: str) -> str:
    return f"{_PREFIX}:{kind}:{key}"


def _sealed(name: str, put: float, value: bytes) -> bytes:
    return _HEAD.pack(put, _seal(name, put, value)) + value


def _seal(name: str, put: float, value: bytes) -> bytes:
    digest = hashlib.blake2b(struct.pack("<d", put), digest_size=16)
    digest.update(name.encode() + b"\0")
    digest.update(value)
    return digest.digest()
