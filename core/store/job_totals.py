"""Numbers of jobs by state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.models import JobState


@dataclass(frozen=True, slots=True)
class QueueTotals:
    """Numbers of jobs by state, and how many ended per second in the last minutes."""

    counts: Mapping[JobState, int]
    per_second: float | None

    @property
    def left(self) -> int:
        return self.counts[JobState.QUEUED] + self.counts[JobState.RUNNING]

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the queue is empty at the rate of the last minutes; None where nothing has ended."""
        return self.left / self.per_second if self.per_second else None
