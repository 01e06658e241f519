"""Takes what was recorded to disk every few seconds, in one batch, and gives it back for any stretch of time.

Recording is never a reason not to work: where its file cannot be opened or written, what was counted stays in
memory (histograms have a fixed size), and ``problem`` says why.
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
FLUSHES_A_THINNING = 60  # five minutes
MEMORY_MB = 128  # of the metrics file's own database
T = TypeVar("T")
Chore = Callable[[], None]
QueueDepth = Callable[[], tuple[int, int]]  # jobs that wait, jobs that run


@dataclass(frozen=True, slots=True)
class MetricsWindow:
    """What was counted in the last ``minutes`` for which there is anything: fewer than asked for, if so."""

    timings: Timings
    minutes: float


class History:
    """The recorder's memory beyond the process. Any thread may ask it."""

    def __init__(
        self,
        recorder: Recorder,
        folder: Path,
        depth: QueueDepth,
        sources: Sequence[Source] = (),
        chores: Sequence[Chore] = (),
    ) -> None:
        """``chores`` are done with every flush, and also where nothing is recorded."""
        self.recorder = recorder
        self.problem: str | None = None
        self._depth = depth
        self._sources = sources
        self._chores = chores
        self._sampler = SystemSampler(folder)
        self._unsaved: Timings = {}
        self._lock = threading.Lock()  # of a flush
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._db = self._opened(folder) if recorder.enabled else None
        self._store = MetricStore(self._db) if self._db else None

    def start(self) -> None:
        """Begin to save, and to do the chores, every few seconds."""
        self._thread.start()

    def close(self) -> None:
        """Save what is left; a second call does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.flush()
        if self._db is not None:
            self._db.close()

    def sample(self) -> Sample:
        """Look at the system now; the queue's depth is unknown where the database does not answer."""
        try:
            queued, running = self._depth()
        except SpheroscopeError:
            return self._sampler.sample(None, None)
        return self._sampler.sample(queued, running)

    def flush(self) -> None:
        """Save now what was counted since the last time."""
        if self._store is None:
            return
        with self._lock:
            self._ask_sources()
            self._unsaved = merge(self.recorder.take(), self._unsaved)
            try:
                self._store.add(utc_now(), self._unsaved, self.sample())
            except SpheroscopeError as error:
                self._trouble(error)
                return
            self._unsaved = {}
            self.problem = None

    def window(self, minutes: float) -> MetricsWindow:
        """Everything counted in the last ``minutes``, to this moment.

        Where nothing is kept, everything since the start.
        """
        with self._lock:
            self._ask_sources()
            kept = self._asked(lambda store: self._kept(store, minutes))
            return kept or MetricsWindow(self.recorder.totals(), (time.time() - self.recorder.started) / 60)

    def over_time(self, kind: Kind, minutes: float, slot_s: float) -> dict[datetime, Timings]:
        """What was saved of one kind in the last ``minutes``, by slots of ``slot_s`` seconds."""
        since = utc_now() - timedelta(minutes=minutes)
        return self._asked(lambda store: store.over_time(kind, since, slot_s)) or {}

    def courses(self, minutes: float, slot_s: float) -> dict[Kind, dict[datetime, Timings]]:
        """The same of every kind, asked for at once."""
        since = utc_now() - timedelta(minutes=minutes)
        found = self._asked(lambda store: store.over_time(None, since, slot_s)) or {}
        courses: dict[Kind, dict[datetime, Timings]] = {kind: {} for kind in Kind}
        for slot, timings in found.items():
            for series, histogram in timings.items():
                courses[series.kind].setdefault(slot, {})[series] = histogram
        return courses

    def samples(self, minutes: float, slot_s: float) -> tuple[Sample, ...]:
        """The samples of the last ``minutes``, one a slot, oldest first."""
        since = utc_now() - timedelta(minutes=minutes)
        return self._asked(lambda store: store.samples(since, slot_s)) or ()

    def _run(self) -> None:
        flushes = 0
        while not self._closing.wait(FLUSH_SECONDS):
            flushes += 1
            chores: tuple[Chore, ...] = (self.flush, partial(self._thin, flushes), *self._chores)
            for chore in chores:
                try:
                    chore()
                except Exception:  # without its thread nothing would be kept any more
                    log.exception("event=history.failed")

    def _thin(self, flushes: int) -> None:
        if flushes % FLUSHES_A_THINNING == 1 and self._store:
            self._store.thin(utc_now())

    def _asked(self, ask: Callable[[MetricStore], T]) -> T | None:
        """What the file says; None where there is none, or it does not answer."""
        try:
            return ask(self._store) if self._store else None
        except StorageError as error:
            self._trouble(error)
            return None

    def _kept(self, store: MetricStore, minutes: float) -> MetricsWindow:
        now = utc_now()
        timings = store.window(now - timedelta(minutes=minutes))
        merge(merge(timings, self._unsaved), self.recorder.waiting())
        since = store.first() or datetime.fromtimestamp(self.recorder.started, UTC).replace(tzinfo=None)
        return MetricsWindow(timings, min(minutes, (now - since).total_seconds() / 60))

    def _ask_sources(self) -> None:
        for source in self._sources:
            source(self.recorder)

    def _trouble(self, error: SpheroscopeError) -> None:
        if self.problem is None:
            log.warning("event=history.refused reason=%s", error.message)
        self.problem = error.message

    def _opened(self, folder: Path) -> Database | None:
        # Its own statements go to a recorder of their own: the watching is not what is watched.
        try:
            return Database.open(
                folder / FILE,
                QueryRecorder(Recorder(enabled=False)),
                MEMORY_MB,
                threads=1,
                schema=METRICS_MIGRATIONS,
            )
        except StorageError as error:
            self._trouble(error)
            return None
