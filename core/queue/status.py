"""Snapshots of the queue for pages and routes: one for all visitors who see the same projects, two a second.

However many jobs end and browsers ask, the tables are counted at most twice a second.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.db import Database
from core.models import JobState
from core.queue.job_queue import JobQueue
from core.queue.slots import QueueLoad
from core.queue.timeline import Span
from core.store import Store
from core.store.jobs import QueueTotals

MIN_INTERVAL_SECONDS = 0.5
MAX_NARROWED_SNAPSHOTS = 100  # one for each set of projects that somebody may look at
RATE_SPANS = 50  # the last jobs, of which the rate is computed


class QueueHealth(StrEnum):
    """Green: at work or idle; amber: hindered; red: standing still."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The queue at one moment. ``version`` differs after every change; ``progress`` runs from 0 to 1."""

    version: int
    totals: QueueTotals
    state: QueueLoad
    progress: float
    light: QueueHealth
    message: str


class QueueMonitor:
    """Makes snapshots and returns the last one. Safe from any thread."""

    def __init__(
        self, db: Database, store: Store, queue: JobQueue, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._store = store
        self._queue = queue
        self._clock = clock
        self._lock = threading.Lock()
        self._made_at = -MIN_INTERVAL_SECONDS
        self._peak_left = 0
        self._last: QueueSnapshot | None = None
        self._by_projects: OrderedDict[tuple[str, ...], QueueSnapshot] = OrderedDict()

    def snapshot(self, visible: Sequence[str] | None = None) -> QueueSnapshot:
        """The queue as it was at most MIN_INTERVAL_SECONDS ago.

        With ``visible``, the jobs of these projects alone are counted.
        """
        if visible is not None:
            return self._of_projects(visible)
        with self._lock:
            now = self._clock()
            if self._last is None or now - self._made_at >= MIN_INTERVAL_SECONDS:
                self._last = self._current(self._last)
                self._made_at = self._clock()
            return self._last

    def _of_projects(self, visible: Sequence[str]) -> QueueSnapshot:
        all_projects, projects = self.snapshot(), tuple(sorted(visible))
        with self._lock:
            last = self._by_projects.get(projects)
        if last is not None and (last.version, last.state) == (all_projects.version, all_projects.state):
            return last
        totals = replace(
            self._store.jobs.of_projects(projects).totals(), per_second=all_projects.totals.per_second
        )
        ended = totals.counts[JobState.DONE] + totals.counts[JobState.FAILED]
        progress = ended / (ended + totals.left) if totals.left else 1.0
        snapshot = replace(all_projects, totals=totals, progress=progress)
        with self._lock:
            self._by_projects[projects] = snapshot
            if len(self._by_projects) > MAX_NARROWED_SNAPSHOTS:
                self._by_projects.popitem(last=False)
        return snapshot

    def _current(self, last: QueueSnapshot | None) -> QueueSnapshot:
        version = self._db.generation  # before counting: what is counted may be newer, never older
        state = self._queue.state()
        if last is not None and (last.version, last.state) == (version, state):
            return last
        totals = self._store.jobs.totals()
        if totals.left and (rate := rate_of(self._queue.timeline.latest(RATE_SPANS), state.slots)):
            totals = replace(totals, per_second=rate)
        self._peak_left = max(self._peak_left, totals.left) if totals.left else 0
        progress = 1 - totals.left / self._peak_left if self._peak_left else 1.0
        return QueueSnapshot(
            version, totals, state, progress, *health_of(state, totals.counts[JobState.QUEUED])
        )


def rate_of(spans: Sequence[Span], slots: int) -> float | None:
    """Images a second of ``slots`` workers, by these attempts; None without any."""
    seconds = [span.seconds for span in spans if span.state in (JobState.DONE, JobState.FAILED)]
    if not seconds or not sum(seconds):
        return None
    return slots * len(seconds) / sum(seconds)


def health_of(state: QueueLoad, queued: int) -> tuple[QueueHealth, str]:
    """The queue's health, and a sentence unless it is green."""
    if state.problem:
        return QueueHealth.RED, state.problem
    if state.lost == state.slots:
        return QueueHealth.RED, (
            "Every worker hangs on an image that passed its deadline, so nothing more is segmented. "
            "Restart the app; the images are marked as failed."
        )
    if state.lost:
        images = (
            "an image that passed its deadline" if state.lost == 1 else "images that passed their deadline"
        )
        return (
            QueueHealth.AMBER,
            f"{state.lost} of {state.slots} workers hang on {images}. Restart the app to free them.",
        )
    if state.waits_for_memory and queued:
        return QueueHealth.AMBER, (
            f"{state.waits_for_memory} waits for memory: it begins when an image in work is done. "
            "Raise CONTAINER_MEMORY_LIMIT_MB if this computer has more."
        )
    return QueueHealth.GREEN, ""
