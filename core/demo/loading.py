"""The demo plate, drawn and taken in beside everything else: whoever asks for it may go on to other pages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from core.demo.plate import DemoFile

log = logging.getLogger(__name__)


class DemoLoader:
    """Hands the plate's files to ``take``, one by one, on a thread of its own. Safe from any thread."""

    def __init__(self, draw: Callable[[], Iterator[DemoFile]]) -> None:
        self._draw = draw
        self._lock = threading.Lock()
        self._ended: Future[None] | None = None
        self._count = 0
        self._stopping = threading.Event()

    @property
    def count(self) -> int:
        """Return how many files have been taken since it was last begun."""
        return self._count

    def begin(self, take: Callable[[DemoFile], object]) -> Future[None]:
        """Begin, unless it is under way; the future is done when all have been taken, or holds the error."""
        with self._lock:
            if self._ended is None or self._ended.done():
                self._ended, self._count = Future(), 0
                arguments = (take, self._ended)
                threading.Thread(target=self._load, args=arguments, name="demo-plate", daemon=True).start()
            return self._ended

    def close(self) -> None:
        """Stop after the file that is being taken; what has been taken stays."""
        self._stopping.set()
        with self._lock:
            ended = self._ended
        if ended is not None:
            ended.exception()

    def _load(self, take: Callable[[DemoFile], object], ended: Future[None]) -> None:
        try:
            for file in self._draw():
                if self._stopping.is_set():
                    break
                take(file)
                self._count += 1
        except Exception as error:  # whatever it is belongs to who waits; who has left finds it in the log
            log.exception("event=demo.stopped taken=%d", self._count)
            ended.set_exception(error)
        else:
            ended.set_result(None)
