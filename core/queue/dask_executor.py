"""Executor over the workers of a Dask scheduler, on other computers.

Workers get an image's bytes and its job and return the result; only the app writes. The jobs of a lost worker
are run by another, which Dask sees to. While there is no scheduler the queue pauses, and the jobs that ran
are queued again in their place.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future
from pathlib import Path
from typing import Any

import dask
from distributed import Client
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

log = logging.getLogger(__name__)

CONNECT_SECONDS = 2.0
CHECK_SECONDS = 0.5
CLOSE_SECONDS = 2.0


class DaskExecutor:
    """An executor over the workers of the Dask scheduler at ``address``.

    A thread connects, and connects again whenever the connection is lost; no method waits for that.
    """

    def __init__(
        self, address: str, read_for_worker: Callable[..., bytes] = lambda path, *_: path.read_bytes()
    ) -> None:
        """``read_for_worker`` is called with a path and the arguments that follow it, and returns the bytes
        that workers get in place of the path."""
        # A task holds its image file, so that any worker can run it; Dask would warn of its size.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
        self._address = address
        self._read_for_worker = read_for_worker
        self._client: Client | None = None
        self.workers = 0  # at the last check
        self._cancelled: deque[Future[Any]] = deque()  # to be withdrawn, which waits for the scheduler
        self._closed = threading.Event()
        self._connection_thread = threading.Thread(
            target=self._keep_connected, name="cluster-keeper", daemon=True
        )
        self._connection_thread.start()

    @property
    def problem(self) -> str | None:
        """Return why no job can be begun now, in words; None where one can."""
        client = self._client
        if client is None or client.status != "running":
            return (
                f"The Dask scheduler at {self._address} cannot be reached. Look whether it runs; "
                "the queue goes on by itself as soon as it does."
            )
        if not self.workers:
            return (
                f"No workers are connected to the Dask scheduler at {self._address}. "
                f"Start some: python -m core worker {self._address}"
            )
        return None

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Run ``fn`` on a worker; a Path that comes first in ``args`` is sent as bytes.

        The future ends with BrokenExecutor if the worker died during it, with CancelledError if the scheduler
        was lost. When it is cancelled it ends at once; its task is withdrawn a moment later, unless a worker
        has begun with it, which then works on to the end, and the result is dropped.
        """
        client = self._client
        future: Future[Any] = Future()
        if client is None or client.status != "running":
            future.set_exception(CancelledError())
            return future
        if args and isinstance(args[0], Path):
            args = (self._read_for_worker(*args), *args[1:])
        task = client.get_executor(pure=False).submit(fn, *args)
        task.add_done_callback(lambda ended: _copy_outcome(ended, future))
        future.add_done_callback(lambda ended: self._cancelled.append(task) if ended.cancelled() else None)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the scheduler; results of what still runs there are dropped."""
        self._closed.set()
        self._connection_thread.join(timeout=CONNECT_SECONDS + CLOSE_SECONDS)
        if self._client is not None:
            self._client.close(timeout=CLOSE_SECONDS)
            self._client = None

    def _keep_connected(self) -> None:
        while not self._closed.is_set():
            try:
                if self._client is None:
                    self._client = Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)
                    log.info("event=cluster.connected address=%s", self._address)
                if self._client.status == "running":
                    self.workers = len(self._client.nthreads())
                    self._withdraw()
                elif self._client.status == "closed":
                    self._client = None
            except (OSError, TimeoutError, CommClosedError, ImportError) as error:
                log.warning("event=cluster.unreachable reason=%s", type(error).__name__)
            except Exception:  # whatever Dask raises: without this thread the queue would pause for ever
                log.exception("event=cluster.failed")
                self._client = None
            self._closed.wait(CHECK_SECONDS)

    def _withdraw(self) -> None:
        while self._cancelled:
            self._cancelled.popleft().cancel()


def _copy_outcome(task: Future[Any], future: Future[Any]) -> None:
    """End ``future`` as its task ended, with the standard library's errors; not if it was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    if task.cancelled():
        future.set_exception(CancelledError())
        return
    error = task.exception()
    if error is None:
        future.set_result(task.result())
    elif isinstance(error, KilledWorker):
        future.set_exception(BrokenExecutor(f"workers died: {error.last_worker.address}"))
    elif isinstance(error, CommClosedError):
        future.set_exception(CancelledError())
    else:
        future.set_exception(error)
