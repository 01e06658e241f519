"""What runs jobs, seen from the queue."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol


class Executor(Protocol):
    """Threads of this process, or a cluster's stand-in for them."""

    @property
    def trouble(self) -> str | None:
        """Why no job can be begun now, in words; None where one can."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]: ...

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


NICENESS = 5  # a third of the processor's time of what is not nice, where both want it


class ThreadExecutor(ThreadPoolExecutor):
    """Workers in this process, that give way to its pages; nothing ever keeps them from beginning."""

    def __init__(self, count: int) -> None:
        super().__init__(count, thread_name_prefix="segment", initializer=_give_way)

    @property
    def trouble(self) -> str | None:
        return None


def _give_way() -> None:
    """Let the calling thread be the one that waits where the processor is short: Linux only."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
