"""Workers on other computers: a Dask scheduler's, behind what the queue takes for an executor.

Workers get an image's bytes and its job and give back what they found; nothing else of the app is theirs, and
only the app writes. A worker that is lost has its jobs run by another, which Dask sees to. While there is no
scheduler, the queue pauses: what was in work is queued again in its place.
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
LOOK_SECONDS = 0.5
CLOSE_SECONDS = 2.0


class DaskExecutor:
    """An executor over the workers of the Dask scheduler at ``address``.

    It connects by itself, again and again; nothing in here waits for that.
    """

    def __init__(self, address: str) -> None:
        # Image files travel with their task, so that whichever worker runs it next has them; Dask would warn.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"})
        self._address = address
        self._client: Client | None = None
        self.workers = 0  # as of the last look
        self._unwanted: deque[Future[Any]] = deque()  # to be withdrawn, which waits for the scheduler
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep_connected, name="cluster-keeper", daemon=True)
        self._keeper.start()

    @property
    def trouble(self) -> str | None:
        """Why no job can be begun now, in words; None where one can."""
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
        """Run ``fn`` on a worker; a Path among ``args`` is sent as the bytes of its file.

        The future ends with BrokenExecutor where the worker died of it, with CancelledError where its
        scheduler was lost. Cancelled, it is over at once; its task is withdrawn a moment later, but a worker
        that has begun with it works on to its end, for nobody.
        """
        client = self._client
        told: Future[Any] = Future()
        if client is None or client.status != "running":
            told.set_exception(CancelledError())
            return told
        sent = [arg.read_bytes() if isinstance(arg, Path) else arg for arg in args]
        asked = client.get_executor(pure=False).submit(fn, *sent)
        asked.add_done_callback(lambda ended: _tell(told, ended))
        told.add_done_callback(lambda ended: self._unwanted.append(asked) if ended.cancelled() else None)
        return told

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the scheduler; what still runs there is run for nobody."""
        self._closed.set()
        self._keeper.join(timeout=CONNECT_SECONDS + CLOSE_SECONDS)
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
            self._closed.wait(LOOK_SECONDS)

    def _withdraw(self) -> None:
        while self._unwanted:
            self._unwanted.popleft().cancel()


def _tell(told: Future[Any], ended: Future[Any]) -> None:
    """Pass on how a job ended, in the standard library's words for it; nobody hears of one cancelled."""
    if not told.set_running_or_notify_cancel():
        return
    if ended.cancelled():
        told.set_exception(CancelledError())
        return
    error = ended.exception()
    if error is None:
        told.set_result(ended.result())
    elif isinstance(error, KilledWorker):
        told.set_exception(BrokenExecutor(f"workers died: {error.last_worker.address}"))
    elif isinstance(error, CommClosedError):
        told.set_exception(CancelledError())
    else:
        told.set_exception(error)
