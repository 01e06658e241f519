"""Executors: run the queue's jobs in threads of this process, or elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol


class Executor(Protocol):
    """Interface that the queue needs of an executor: the standard library's, and ``problem``."""

    @property
    def problem(self) -> str | None:
        """Return why no job can be begun now, in words; None where one can."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]: ...

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


NICENESS = 5  # a third of the processor's time of a thread of niceness 0, where both need it


class ThreadExecutor(ThreadPoolExecutor):
    """Threads of lower priority than the pages'; always ready."""

    def __init__(self, count: int) -> None:
        super().__init__(count, thread_name_prefix="segment", initializer=_lower_priority)

    @property
    def problem(self) -> str | None:
        return None


def _lower_priority() -> None:
    """Lower the calling thread's priority; Linux only."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
