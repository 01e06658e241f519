"""Samples of the process and its machine: memory, CPU, threads, disk."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# Memory limit of the container, if there is one: cgroups of version 2, then of version 1.
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


MIN_SECONDS = 1.0  # between two readings of CPU time, which is counted in hundredths of a second

MIN_APP_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Sample:
    """The system at the time ``at``, in seconds since 1970.

    ``cpu_percent`` is of all cores, since the sample before. None means unknown.
    """

    at: float
    rss_bytes: int
    cpu_percent: float
    threads: int
    disk_free_bytes: int | None
    queued: int | None
    running: int | None


class SystemSampler:
    """Samples this process and the disk of ``folder``. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._cpu_read_at = time.monotonic()
        self._cpu_percent = float(
            self._process.cpu_percent()
        )  # 0: the first reading has none to compare with

    def sample(self, queued: int | None, running: int | None) -> Sample:
        """Return a sample taken now, with the queue's figures in it."""
        with self._lock, self._process.oneshot():
            now = time.monotonic()
            if now - self._cpu_read_at >= MIN_SECONDS:
                self._cpu_read_at = now
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
    """Return the memory limit of the container, or else the machine's memory."""
    total = int(psutil.virtual_memory().total)
    for path in _CGROUPS:
        if path.is_file():
            text = path.read_text().strip()
            return min(total, int(text)) if text.isdigit() else total
    return total


def app_memory_bytes() -> int:
    """The memory limit of an app for which none is set.

    All of its container's limit, or half of the machine's memory but at least MIN_APP_BYTES.
    """
    machine, limit = int(psutil.virtual_memory().total), memory_limit_bytes()
    return limit if limit < machine else max(MIN_APP_BYTES, machine // 2)


def _free(folder: Path) -> int | None:
    try:
        return int(psutil.disk_usage(str(folder)).free)
    except OSError:  # not mounted (any more): writing there raises an error with a message
        return None
