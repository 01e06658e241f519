"""Flushes metrics to a database file every 5 s, and queries them by time range.

A file that cannot be opened or written stops nothing: the metrics stay in memory (histograms have a fixed
size), and ``problem`` says why.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from core.clock import utc_now
from core.db import Database
from core.db.statements import METRICS_MIGRATIONS
from core.errors import SpheroscopeError, StorageError
from core.monitoring import Kind, QueryRecorder, Recorder, Sample, SystemSampler, Timings, merge
from core.operations.stage_metrics import Source
from core.store.metrics import MetricStore

log = logging.getLogger(__name__)

FILE = "metrics.duckdb"
FLUSH_SECONDS = 5.0
WEEK, WEEKS_SECONDS = timedelta(days=7), 300.0
FLUSHES_A_THINNING = 60  # five minutes
MEMORY_MB = 128
T = TypeVar("T")
PeriodicTask = Callable[[], None]
QueueDepth = Callable[[], tuple[int, int]]  # jobs that wait, jobs that run


@dataclass(frozen=True, slots=True)
class MetricsWindow:
    """Metrics of the last ``minutes``; fewer than requested if there are none from before."""

    timings: Timings
    minutes: float


class History:
    """Metrics on disk and those not yet flushed. Any thread may call every method."""

    def __init__(
        self,
        recorder: Recorder,
        folder: Path,
        depth: QueueDepth,
        sources: Sequence[Source] = (),
        periodic_tasks: Sequence[PeriodicTask] = (),
        memory_mb: int = MEMORY_MB,
    ) -> None:
        """``sources`` are called before reading and flushing; ``periodic_tasks`` run after every flush.

        ``memory_mb`` limits the metrics file's own database.
        """
        self.recorder = recorder
        self.problem: str | None = None
        self._depth = depth
        self._sources = sources
        self._periodic_tasks = periodic_tasks
        self._sampler = SystemSampler(folder)
        self._unsaved: Timings = {}
        self._lock = threading.Lock()  # held during a flush and while a window is put together
        self._closing = threading.Event()
        self._weeks: tuple[float, tuple[Timings, Timings] | None] = (-WEEKS_SECONDS, None)
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._db = self._open_file(folder, memory_mb) if recorder.enabled else None
        self._store = MetricStore(self._db) if self._db else None

    def start(self) -> None:
        """Start the thread that flushes and runs the periodic tasks."""
        self._thread.start()

    def close(self) -> None:
        """Flush a last time and close the file; a second call does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.flush()
        if self._db is not None:
            self._db.close()

    def sample(self) -> Sample:
        """Sample the system now; the queue's depth is None if the database does not answer."""
        try:
            queued, running = self._depth()
        except SpheroscopeError:
            return self._sampler.sample(None, None)
        return self._sampler.sample(queued, running)

    def flush(self) -> None:
        """Save what was recorded since the last flush."""
        if self._store is None:
            return
        with self._lock:
            self._call_sources()
            self._unsaved = merge(self.recorder.take(), self._unsaved)
            try:
                self._store.add(utc_now(), self._unsaved, self.sample())
            except SpheroscopeError as error:
                self._set_problem(error)
                return
            self._unsaved = {}
            self.problem = None

    def window(self, minutes: float) -> MetricsWindow:
        """Metrics of the last ``minutes`` up to now; without a file, those since the start."""
        with self._lock:
            self._call_sources()
            stored = self._query(lambda store: self._stored_window(store, minutes))
            return stored or MetricsWindow(self.recorder.totals(), (time.time() - self.recorder.started) / 60)

    def over_time(self, kind: Kind, minutes: float, slot_s: float) -> dict[datetime, Timings]:
        """Flushed metrics of one kind in the last ``minutes``, by slots of ``slot_s`` seconds."""
        since = utc_now() - timedelta(minutes=minutes)
        return self._query(lambda store: store.over_time(kind, since, slot_s)) or {}

    def over_time_by_kind(self, minutes: float, slot_s: float) -> dict[Kind, dict[datetime, Timings]]:
        """As ``over_time`` for every kind, in one query."""
        since = utc_now() - timedelta(minutes=minutes)
        slots = self._query(lambda store: store.over_time(None, since, slot_s)) or {}
        by_kind: dict[Kind, dict[datetime, Timings]] = {kind: {} for kind in Kind}
        for slot, timings in slots.items():
            for series, histogram in timings.items():
                by_kind[series.kind].setdefault(slot, {})[series] = histogram
        return by_kind

    def samples(self, minutes: float, slot_s: float) -> tuple[Sample, ...]:
        """The samples of the last ``minutes``, one a slot, oldest first."""
        since = utc_now() - timedelta(minutes=minutes)
        return self._query(lambda store: store.samples(since, slot_s)) or ()

    def weeks(self) -> tuple[Timings, Timings]:
        """Flushed metrics of the last seven days and of the seven before, read anew every WEEKS_SECONDS."""
        with self._lock:
            at, weeks = self._weeks
            if time.monotonic() - at >= WEEKS_SECONDS:
                last = utc_now() - WEEK
                weeks = self._query(lambda store: (store.window(last), store.window(last - WEEK, last)))
                self._weeks = time.monotonic(), weeks
            return weeks or ({}, {})

    def _run(self) -> None:
        flushes = 0
        while not self._closing.wait(FLUSH_SECONDS):
            flushes += 1
            periodic_tasks: tuple[PeriodicTask, ...] = (
                self.flush,
                partial(self._thin, flushes),
                *self._periodic_tasks,
            )
            for task in periodic_tasks:
                try:
                    task()
                except Exception:  # without this thread nothing would be flushed any more
                    log.exception("event=history.failed")

    def _thin(self, flushes: int) -> None:
        if flushes % FLUSHES_A_THINNING == 1 and self._store:
            self._store.thin(utc_now())

    def _query(self, query: Callable[[MetricStore], T]) -> T | None:
        """The result of a query; None if there is no file, or it cannot be read."""
        try:
            return query(self._store) if self._store else None
        except StorageError as error:
            self._set_problem(error)
            return None

    def _stored_window(self, store: MetricStore, minutes: float) -> MetricsWindow:
        now = utc_now()
        timings = store.window(now - timedelta(minutes=minutes))
        merge(merge(timings, self._unsaved), self.recorder.waiting())
        since = store.first() or datetime.fromtimestamp(self.recorder.started, UTC).replace(tzinfo=None)
        return MetricsWindow(timings, min(minutes, (now - since).total_seconds() / 60))

    def _call_sources(self) -> None:
        for source in self._sources:
            source(self.recorder)

    def _set_problem(self, error: SpheroscopeError) -> None:
        if self.problem is None:
            log.warning("event=history.refused reason=%s", error.message)
        self.problem = error.message

    def _open_file(self, folder: Path, memory_mb: int) -> Database | None:
        # Its statements are not recorded: each flush would add to the next one.
        try:
            return Database.open(
                folder / FILE,
                QueryRecorder(Recorder(enabled=False)),
                memory_mb,
                threads=1,
                schema=METRICS_MIGRATIONS,
            )
        except StorageError as error:
            self._set_problem(error)
            return None
