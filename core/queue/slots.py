"""Who of the workers is free, who is at what, and who does not come back in time."""

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
    """How many jobs at once, how often each is tried, and how long one may take."""

    slots: int
    max_attempts: int = 3
    deadline_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class QueueState:
    """What the queue is doing this moment, as plain numbers and words."""

    slots: int
    running: int
    lost: int
    unsaved: int
    memory_taken_bytes: int
    memory_total_bytes: int
    waits_for_memory: str | None
    trouble: str | None


@dataclass(slots=True)
class Running:
    """One job in a worker's hands. ``start`` and ``seconds`` are by the queue's clock."""

    job: Job
    worker: str
    start: float
    began: datetime = field(default_factory=utc_now)
    future: Future[Any] | None = None
    read_ms: float = 0.0
    seconds: float = 0.0

    @property
    def waits_ms(self) -> dict[str, float]:
        """The stages before the work itself."""
        waited = (self.began - self.job.created_at).total_seconds()  # by the wall clock, which may jump
        return {"queued": max(0.0, waited) * 1000, "read": self.read_ms}

    def span(self, state: JobState, stages_ms: Mapping[str, float]) -> Span:
        """What the timeline keeps of it."""
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
    """The workers by name. The caller holds its lock: nothing in here is safe from two threads."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.free = [f"worker {number}" for number in range(slots, 0, -1)]
        self.running: dict[str, Running] = {}
        self.lost: dict[str, Running] = {}

    @property
    def at_rest(self) -> bool:
        """Whether all have come back."""
        return len(self.free) == self.slots

    def end(self, running: Running) -> bool:
        """Free a worker; False if its job had been given up before."""
        in_time = self.lost.pop(running.worker, None) is None
        self.running.pop(running.worker, None)
        self.free.append(running.worker)
        return in_time

    def overdue(self, latest: float) -> list[Running]:
        """Those that began at ``latest`` or before."""
        return [running for running in self.running.values() if running.start <= latest]

    def give_up(self, running: Running) -> None:
        """Count a worker as lost until its job ends after all."""
        self.lost[running.worker] = self.running.pop(running.worker)

    def earliest(self) -> float | None:
        """When the job that has run longest began."""
        return min((running.start for running in self.running.values()), default=None)
