"""Which senders have been heard of lately: whoever has left will not send the rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

ACTIVE_SECONDS = 60.0
MAX_BATCHES = 1000  # batches that are remembered before those of senders who have left are forgotten


class Senders:
    """Remembers, for this process, when the sender of each batch of files was last heard of."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, float] = {}

    def note_activity(self, batch: str) -> None:
        """Note that a batch's sender is there."""
        now = self._clock()
        with self._lock:
            self._times[batch] = now
            if len(self._times) > MAX_BATCHES:
                self._times = {name: at for name, at in self._times.items() if now - at < ACTIVE_SECONDS}

    def active(self, batch: str) -> bool:
        """Whether a batch's sender was heard of in the last minute."""
        with self._lock:
            last_active = self._times.get(batch)
        return last_active is not None and self._clock() - last_active < ACTIVE_SECONDS
