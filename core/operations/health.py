"""Health checks: whether each part of the app works, with a sentence for a person."""

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
from core.operations.file_audit import last_outcome
from core.operations.history import History
from core.queue.status import QueueHealth, QueueMonitor

PROBE_BYTES = 4096
LITTLE_DISK_BYTES = 2 * 2**30
MUCH_MEMORY_PERCENT = 85.0
MIB, GIB = 2**20, 2**30


class State(StrEnum):
    """Result of a check, the best first."""

    GOOD = "good"
    WATCH = "watch"  # works, but needs attention
    BAD = "bad"  # the app cannot save data


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``ms``: how long the part took to answer, of parts that are called."""

    name: str
    state: State
    sentence: str
    code: str = ""
    ms: float | None = None


class HealthChecks:
    """Checks every part of the app."""

    def __init__(
        self,
        folder: Path,
        db: Database,
        history: History,
        memory_limit_mb: int = 0,
        queue_monitor: QueueMonitor | None = None,
        cache: Cache | None = None,
    ) -> None:
        self._queue_monitor = queue_monitor
        self._cache = cache
        self._folder = folder
        self._db = db
        self._history = history
        self._memory_limit_mb = memory_limit_mb

    @property
    def memory_limit_bytes(self) -> int:
        """The most memory that this process may use."""
        limit = memory_limit_bytes()
        return min(limit, self._memory_limit_mb * MIB) if self._memory_limit_mb else limit

    def run(self) -> tuple[Check, ...]:
        """Run every check now; takes some milliseconds and changes nothing."""
        return tuple(self._all())

    def _all(self) -> Iterator[Check]:
        yield _checked("database", lambda: ask_writer(self._db), "The database answers and takes writes.")
        yield from self._saved_changes()
        yield _checked("disk", lambda: write_probe(self._folder), "The data folder takes files.")
        yield self._space()
        yield from self._files()
        yield self._memory()
        yield self._recording()
        yield from self._queue()
        yield from self._redis()

    def _saved_changes(self) -> Iterator[Check]:
        if lost := self._db.lost_commits:
            yield Check(
                "saved changes",
                State.WATCH,
                f"The database's log was damaged: the last {lost} changes before the last start are missing. "
                "Look at the disk, and upload again what is not there.",
            )

    def _files(self) -> Iterator[Check]:
        """Return what the last audit of the stored files found; nothing before the first."""
        if outcome := last_outcome(self._folder):
            sentence = f"Audited on {outcome.at:%Y-%m-%d}: {outcome.counts}."
            if outcome.whole:
                yield Check("stored files", State.GOOD, sentence)
            else:
                advice = (
                    "`python -m core audit`, with the app stopped, names their images and says what to do."
                )
                yield Check("stored files", State.WATCH, f"{sentence} {advice}")

    def _queue(self) -> Iterator[Check]:
        if self._queue_monitor is not None and not self._db.closed:
            snapshot = self._queue_monitor.snapshot()
            state = State.GOOD if snapshot.light is QueueHealth.GREEN else State.WATCH
            yield Check("queue", state, snapshot.message or "The queue takes images.")

    def _redis(self) -> Iterator[Check]:
        """Never BAD: without Redis the app is slower, and nothing else."""
        if not isinstance(self._cache, RedisCache):
            return
        start = time.perf_counter()
        if self._cache.answers():
            ms = (time.perf_counter() - start) * 1000
            yield Check("redis", State.GOOD, "Redis answers.", ms=ms)
            return
        problem = "Redis did not answer just now."
        if self._cache.away:
            problem = f"Redis does not answer; it is skipped and tried again every {PAUSE_SECONDS:g} seconds."
        advice = "That costs speed only. Look whether the server at REDIS_URL runs."
        yield Check("redis", State.WATCH, f"{problem} {advice}")

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
            return Check("recording", State.WATCH, f"Metrics are not saved: {self._history.problem}")
        return Check("recording", State.GOOD, "Metrics are saved for 30 days.")


def worst(checks: tuple[Check, ...]) -> State:
    """The worst state of the checks; GOOD if there are none."""
    order = tuple(State)
    return max((check.state for check in checks), key=order.index, default=State.GOOD)


def ask_writer(db: Database) -> int:
    """Return the schema's number, read on the writer thread in turn with the writes.

    Nothing is committed: a commit would count as a change and make every cached value stale.
    """

    def work(session: Session) -> int:
        return int(session.rows("health.schema")[0]["number"])

    return db.read_on_writer(work)


def write_probe(folder: Path) -> int:
    """Write a small file through to the disk and delete it; return the free bytes of the disk.

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


def _checked(name: str, probe: Callable[[], object], good: str) -> Check:
    start = time.perf_counter()
    try:
        probe()
    except SpheroscopeError as error:
        return Check(name, State.BAD, error.message, error.code)
    return Check(name, State.GOOD, good, ms=(time.perf_counter() - start) * 1000)
