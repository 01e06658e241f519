"""Which images may be in memory together: jobs are admitted by the bytes they are estimated to take."""

from __future__ import annotations

import threading

from core.models import Job


class Admission:
    """Keeps count of what running jobs take. Safe from any thread.

    A job that is larger than all of ``total_bytes`` runs alone.
    """

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self._taken: dict[str, int] = {}
        self._lock = threading.Lock()
        self._refused: Job | None = None

    def fits(self, job: Job) -> bool:
        """Whether the job may begin now; remembers the last one that may not."""
        with self._lock:
            fits = not self._taken or sum(self._taken.values()) + job.memory_bytes <= self.total_bytes
            self._refused = None if fits else job
            return fits

    def take(self, worker: str, job: Job) -> None:
        """Count the job that this worker begins."""
        with self._lock:
            self._taken[worker] = job.memory_bytes

    def give_back(self, worker: str) -> None:
        """Count this worker's job no more."""
        with self._lock:
            self._taken.pop(worker, None)
            self._refused = None  # it is asked for again now

    @property
    def taken_bytes(self) -> int:
        """What the running jobs are estimated to take."""
        with self._lock:
            return sum(self._taken.values())

    @property
    def waiting(self) -> Job | None:
        """The job that waits for memory, None where none does."""
        with self._lock:
            return self._refused
