"""How the process and its machine are doing, read from the system."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# Memory limit of the container, if there is one: cgroups of version 2, then of version 1.
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


SHORT_SECONDS = 1.0  # in which the processor's time cannot be told: it is counted in hundredths of a second


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the system, ``at`` in seconds since 1970.

    ``cpu_percent`` is of all cores, since the look before. What could not be learned is None.
    """

    at: float
    rss_bytes: int
    cpu_percent: float
    threads: int
    disk_free_bytes: int | None
    queued: int | None
    running: int | None


class SystemSampler:
    """Looks at this process, and at the disk that ``folder`` is on; safe from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._cpu_percent = float(self._process.cpu_percent())  # 0: there is nothing to compare with yet

    def sample(self, queued: int | None, running: int | None) -> Sample:
        """Look now; the queue's figures are put beside it."""
        with self._lock, self._process.oneshot():
            now = time.monotonic()
            if now - self._looked >= SHORT_SECONDS:
                self._looked = now
                self._cpu_percent = self._process.cpu_percent() / (os.cpu_count() or 1)
            return Sample(
                at=time.time(),
                rss_bytes=self._process.memory_info().rss,
                cpu_percent=self._cpu_percent,
                threads=self._process.num_threads(),
                disk_free_bytes=_free(self._folder),
                queued=queued,
                running=running,
            )


def memory_limit_bytes() -> int:
    """What this process may use at most: its container's limit, or else the machine's memory."""
    most = int(psutil.virtual_memory().total)
    for path in _CGROUPS:
        if path.is_file():
            text = path.read_text().strip()
            return min(most, int(text)) if text.isdigit() else most
    return most


def _free(folder: Path) -> int | None:
    try:
        return int(psutil.disk_usage(str(folder)).free)
    except OSError:  # not mounted (any more): whoever writes there will say so
        return None
