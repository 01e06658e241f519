"""Micro-batching: calls of several threads that come close together run as one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Gathers items and passes them to ``work`` in one call, which returns an answer for each.

    The first thread waits up to ``seconds`` for others, until there are ``max_items``, and only while
    ``expected()`` is true: more may come. Safe from any thread.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer]],
        max_items: int,
        seconds: float,
        expected: Callable[[], bool],
    ) -> None:
        self._work = work
        self._max_items = max_items
        self._seconds = seconds
        self._expected = expected
        self._pending: list[tuple[Item, Future[Answer]]] = []
        self._changed = threading.Condition()

    def call(self, item: Item) -> Answer:
        """Return ``work``'s answer for an item; if it raises for several, it is called for each alone."""
        answer: Future[Answer] = Future()
        with self._changed:
            self._pending.append((item, answer))
            first = len(self._pending) == 1
            if not first:
                self._changed.notify_all()
            else:
                self._changed.wait_for(self._is_ready, self._seconds)
                batch, self._pending = self._pending, []
        if first:
            self._run(batch)
        return answer.result()

    def _is_ready(self) -> bool:
        return len(self._pending) >= self._max_items or not self._expected()

    def _run(self, batch: Sequence[tuple[Item, Future[Answer]]]) -> None:
        try:
            answers = self._work([item for item, _ in batch])
        except BaseException as error:  # whatever it is belongs to the callers
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for alone in batch:
                self._run([alone])
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            future.set_result(answer)
