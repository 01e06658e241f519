"""What is asked for at nearly the same time is done in one call, and each asker hears its own answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.queue.batching import Batcher
from tests.polling import wait_until

FOREVER = 60.0


def doubling(calls: list[list[int]]) -> Callable[[Sequence[int]], list[int]]:
    def work(items: Sequence[int]) -> list[int]:
        calls.append(sorted(items))
        if 13 in items:
            raise ValueError("thirteen")
        return [2 * item for item in items]

    return work


def test_as_many_as_are_wanted_go_together_and_wait_no_longer() -> None:
    calls: list[list[int]] = []
    batcher = Batcher(doubling(calls), 3, FOREVER, lambda: True)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(batcher.call, [1, 2, 3])) == [2, 4, 6]
    assert calls == [[1, 2, 3]]


def test_nobody_waits_where_no_more_are_expected() -> None:
    calls: list[list[int]] = []
    batcher = Batcher(doubling(calls), 3, FOREVER, lambda: False)
    assert [batcher.call(item) for item in (1, 2)] == [2, 4]
    assert calls == [[1], [2]]


def test_a_call_waits_no_longer_than_told_for_others() -> None:
    assert Batcher(doubling([]), 3, 0.01, lambda: True).call(1) == 2


def test_the_last_call_that_is_expected_ends_the_waiting() -> None:
    more = threading.Event()
    more.set()
    calls: list[list[int]] = []
    batcher = Batcher(doubling(calls), 5, FOREVER, more.is_set)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(batcher.call, 1)
        wait_until(lambda: batcher._pending)
        more.clear()
        assert batcher.call(2) == 4
        assert first.result() == 2
    assert calls == [[1, 2]]


def test_an_error_is_only_that_of_the_guilty_one() -> None:
    calls: list[list[int]] = []
    batcher = Batcher(doubling(calls), 3, FOREVER, lambda: True)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(batcher.call, item) for item in (1, 13, 3)]
        with pytest.raises(ValueError, match="thirteen"):
            answers[1].result()
        assert [answers[0].result(), answers[2].result()] == [2, 6]
    assert calls[0] == [1, 3, 13]
    assert sorted(calls[1:]) == [[1], [3], [13]]
