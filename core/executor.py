"""What runs jobs, seen from the queue."""

from __future__ import annotations

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


class Threads(ThreadPoolExecutor):
    """Workers in this process; nothing ever keeps them from beginning."""

    @property
    def trouble(self) -> str | None:
        return None
