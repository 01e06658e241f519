"""Whether the app can do its work, in words: for a person, or a container's health check."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.cache import Cache, RedisCache
from core.cache.redis import PAUSE_SECONDS
from core.db import Database, Session
from core.errors import SpheroscopeError, StorageError
from core.monitoring.system import memory_limit_bytes
from core.operations.history import History
from core.queue.status import QueueHealth, QueueMonitor

PROBE_BYTES = 4096
LITTLE_DISK_BYTES = 2 * 2**30
MUCH_MEMORY_PERCENT = 85.0
MIB, GIB = 2**20, 2**30


class State(StrEnum):
    """How bad it is."""

    GOOD = "good"
    WATCH = "watch"  # works, and somebody should look
    BAD = "bad"  # the app cannot save what it is given


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. ``ms``: how long the part took to answer, where it was asked."""

    name: str
    state: State
    sentence: str
    code: str = ""
    ms: float | None = None


class HealthChecks:
    """Asks every part whether it works."""

    def __init__(
        self,
        folder: Path,
        db: Database,
        history: History,
        memory_limit_mb: int = 0,
        board: QueueMonitor | None = None,
        cache: Cache | None = None,
    ) -> None:
        self._board = board
        self._cache = cache
        self._folder = folder
        self._db = db
        self._history = history
        self._memory_limit_mb = memory_limit_mb

    @property
    def memory_limit_bytes(self) -> int:
        """What this process may use at most."""
        limit = memory_limit_bytes()
        return min(limit, self._memory_limit_mb * MIB) if self._memory_limit_mb else limit

    def run(self) -> tuple[Check, ...]:
        """Look at everything now; takes some milliseconds and leaves nothing behind."""
        return tuple(self._all())

    def _all(self) -> Iterator[Check]:
        yield _asked("database", lambda: ask_writer(self._db), "The database answers and takes writes.")
        yield from self._lost()
        yield _asked("disk", lambda: write_probe(self._folder), "The data folder takes files.")
        yield self._space()
        yield self._memory()
        yield self._recording()
        yield from self._queue()
        yield from self._redis()

    def _lost(self) -> Iterator[Check]:
        if lost := self._db.lost_commits:
            yield Check(
                "saved changes",
                State.WATCH,
                f"The database's log was damaged: the last {lost} changes before the last start are missing. "
                "Look at the disk, and upload again what is not there.",
            )

    def _queue(self) -> Iterator[Check]:
        if self._board is not None and not self._db.closed:
            snapshot = self._board.snapshot()
            state = State.GOOD if snapshot.light is QueueHealth.GREEN else State.WATCH
            yield Check("queue", state, snapshot.message or "The queue takes images.")

    def _redis(self) -> Iterator[Check]:
        """Never bad: without it the app only has more to read and to draw."""
        if not isinstance(self._cache, RedisCache):
            return
        start = time.perf_counter()
        if self._cache.answers():
            ms = (time.perf_counter() - start) * 1000
            yield Check("redis", State.GOOD, "Redis answers.", ms=ms)
            return
        said = "Redis did not answer just now."
        if self._cache.away:
            said = f"Redis does not answer; it is left alone and tried again every {PAUSE_SECONDS:g} seconds."
        means = "That costs speed only. Look whether the server at REDIS_URL runs."
        yield Check("redis", State.WATCH, f"{said} {means}")

    def _space(self) -> Check:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError as error:
            return Check(
                "disk space", State.BAD, f"The data folder is not there: {error.strerror}.", "storage_error"
            )
        if free < LITTLE_DISK_BYTES:
            sentence = (
                f"Only {free / GIB:.2f} GiB of disk are free. Delete or move something before it is full."
            )
            return Check("disk space", State.WATCH, sentence)
        return Check("disk space", State.GOOD, f"{free / GIB:.0f} GiB of disk are free.")

    def _memory(self) -> Check:
        used, limit = self._history.sample().rss_bytes, self.memory_limit_bytes
        percent = 100 * used / limit
        sentence = f"{used / MIB:.0f} of {limit / MIB:.0f} MiB of memory are used ({percent:.0f} %)."
        if percent < MUCH_MEMORY_PERCENT:
            return Check("memory", State.GOOD, sentence)
        return Check(
            "memory", State.WATCH, f"{sentence} Segment fewer images at once, or give it more memory."
        )

    def _recording(self) -> Check:
        if not self._history.recorder.enabled:
            sentence = "Nothing is recorded: ENABLE_PERFORMANCE_MONITORING is off."
            return Check("recording", State.WATCH, sentence)
        if self._history.problem:
            return Check("recording", State.WATCH, f"What is recorded is not kept: {self._history.problem}")
        return Check("recording", State.GOOD, "What is recorded is kept for 30 days.")


def worst(checks: tuple[Check, ...]) -> State:
    """The state of the whole."""
    order = tuple(State)
    return max((check.state for check in checks), key=order.index, default=State.GOOD)


def ask_writer(db: Database) -> int:
    """Read the schema's number on the writer thread: it waits its turn there as a write would.

    Nothing is committed, since a commit would count as a change and empty every cache.
    """

    def work(session: Session) -> int:
        return int(session.rows("health.schema")[0]["number"])

    return db.read_on_writer(work)


def write_probe(folder: Path) -> int:
    """Write a little to the disk for good and take it away again; return the bytes left on it.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(
            f"The data folder cannot be written: {error.strerror}. "
            "Free some disk space, or look at its permissions."
        ) from error


def _asked(name: str, ask: Callable[[], object], good: str) -> Check:
    start = time.perf_counter()
    try:
        ask()
    except SpheroscopeError as error:
        return Check(name, State.BAD, error.message, error.code)
    return Check(name, State.GOOD, good, ms=(time.perf_counter() - start) * 1000)
