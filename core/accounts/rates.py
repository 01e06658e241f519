"""How often somebody may use an expensive route, so that one cannot starve the others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from core.errors import TooManyAttempts

MAX_CALLERS = 10_000


class RateLimiter:
    """Token buckets by caller: each holds a minute's calls and fills steadily. Safe from any thread."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # calls left, as of a time
        self._lock = threading.Lock()

    def take(self, caller: str) -> None:
        """Count one call.

        Raises:
            TooManyAttempts: the caller has none left; with the seconds until there is one.
        """
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(caller, (float(self._per_minute), now))
            left = min(float(self._per_minute), left + (now - since) * self._per_minute / 60)
            allowed = left >= 1
            self._left[caller] = (left - allowed, now)
            while len(self._left) > MAX_CALLERS:
                self._left.popitem(last=False)
        if not allowed:
            seconds = (1 - left) * 60 / self._per_minute
            raise TooManyAttempts(
                f"More than {self._per_minute} downloads a minute. Try again in {seconds:.0f} seconds.",
                seconds,
            )
