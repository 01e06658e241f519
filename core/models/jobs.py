"""Jobs: requests to segment one image, their states and priorities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

WAITS = ("queued", "wait")  # stages in which an image waits


def seconds_of(timings_ms: Mapping[str, float]) -> float:
    """Return the processing time of an image in seconds: all stages but waiting."""
    return sum(ms for stage, ms in timings_ms.items() if stage not in WAITS) / 1000


class JobState(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Urgency of a job, ascending."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Job:
    """One request to segment one image; the same image, engine and parameters are the same job.

    ``sequence`` is its place in the queue, which changes when it is put back. ``request`` numbers the request
    that it answers: greater than that of every request made before.
    """

    id: str
    image_id: str
    project_id: str
    image_name: str
    sha256: str
    page: int
    state: JobState
    sequence: int
    request: int
    attempt: int
    suspect: bool  # it ran when the program died, so now it runs alone
    engine: str
    params: dict[str, object]
    created_at: datetime
    engine_version: str = ""
    priority: Priority = Priority.NORMAL
    requested_by: str | None = None
    crashes: int = 0  # times that the program died while it ran
    memory_bytes: int = 0  # estimated, at its peak
    started_at: datetime | None = None
    finished_at: datetime | None = None
    worker: str | None = None
    error_code: str | None = None
    error: str | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
