"""Worker slots: free, running, lost (past their deadline)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.clock import utc_now
from core.models import Job, JobState
from core.queue.timeline import Span


@dataclass(frozen=True, slots=True)
class QueueRules:
    """Jobs at once, attempts at each, and seconds that an attempt may take."""

    slots: int
    max_attempts: int = 3
    deadline_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """The queue at this moment. ``waits_for_memory``: name of the image that has waited longest."""

    slots: int
    running: int
    lost: int
    unsaved: int
    memory_taken_bytes: int
    memory_total_bytes: int
    waits_for_memory: str | None
    problem: str | None


@dataclass(slots=True)
class Running:
    """A job in a worker slot. ``start`` and ``seconds`` are by the queue's clock."""

    job: Job
    worker: str
    start: float
    began: datetime = field(default_factory=utc_now)
    future: Future[Any] | None = None
    read_ms: float = 0.0
    seconds: float = 0.0

    @property
    def waits_ms(self) -> dict[str, float]:
        """Time in ms of the stages before the work itself."""
        waited = (self.began - self.job.created_at).total_seconds()  # by the wall clock, which may jump
        return {"queued": max(0.0, waited) * 1000, "read": self.read_ms}

    def span(self, state: JobState, stages_ms: Mapping[str, float]) -> Span:
        """The attempt as a span of the timeline."""
        job = self.job
        return Span(
            job_id=job.id,
            image_id=job.image_id,
            image_name=job.image_name,
            project_id=job.project_id,
            engine=job.engine,
            worker=self.worker,
            attempt=job.attempt,
            began=self.began,
            seconds=self.seconds,
            state=state,
            stages_ms=stages_ms,
        )


class WorkerSlots:
    """The slots by worker name. Not thread-safe: the caller holds its lock."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.free = [f"worker {number}" for number in range(slots, 0, -1)]
        self.running: dict[str, Running] = {}
        self.lost: dict[str, Running] = {}

    @property
    def is_idle(self) -> bool:
        """Whether every slot is free."""
        return len(self.free) == self.slots

    def end(self, running: Running) -> bool:
        """Free a slot; False if its job had passed its deadline before."""
        in_time = self.lost.pop(running.worker, None) is None
        self.running.pop(running.worker, None)
        self.free.append(running.worker)
        return in_time

    def overdue(self, latest: float) -> list[Running]:
        """Jobs that began at ``latest`` or before."""
        return [running for running in self.running.values() if running.start <= latest]

    def give_up(self, running: Running) -> None:
        """Count a slot as lost until its job ends."""
        self.lost[running.worker] = self.running.pop(running.worker)

    def earliest(self) -> float | None:
        """Return when the job that has run longest began."""
        return min((running.start for running in self.running.values()), default=None)
