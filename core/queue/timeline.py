"""The last attempts at jobs, one span each, in memory: for the queue page and the stage metrics."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.models import JobState

MAX_SPANS = 500


@dataclass(frozen=True, slots=True)
class Span:
    """One attempt at a job.

    ``began`` is UTC by the wall clock, to be shown; ``seconds``, until the worker was free again, and
    ``stages_ms`` are measured by a monotonic clock. ``state``: of the job afterwards, queued where it will be
    tried again.
    """

    job_id: str
    image_id: str
    image_name: str
    project_id: str
    engine: str
    worker: str
    attempt: int
    began: datetime
    seconds: float
    state: JobState
    stages_ms: Mapping[str, float] = field(default_factory=dict)


class Timeline:
    """The last spans, oldest first. Safe from any thread."""

    def __init__(self, max_spans: int = MAX_SPANS) -> None:
        self._spans: deque[Span] = deque(maxlen=max_spans)
        self._lock = threading.Lock()
        self._total = 0

    def add(self, span: Span) -> None:
        """Add an attempt that has ended."""
        with self._lock:
            self._spans.append(span)
            self._total += 1

    def latest(self, limit: int = MAX_SPANS) -> tuple[Span, ...]:
        """The last ``limit`` spans, oldest first."""
        with self._lock:
            return tuple(self._spans)[-limit:]

    def since(self, number: int) -> tuple[int, tuple[Span, ...]]:
        """Return the total now, and those of the last spans that were added since it was ``number``."""
        with self._lock:
            new = min(self._total - number, len(self._spans))
            return self._total, tuple(self._spans)[len(self._spans) - new :]

    @property
    def total(self) -> int:
        """Return how many spans have been added since the start."""
        with self._lock:
            return self._total
