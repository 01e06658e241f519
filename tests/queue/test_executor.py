"""Threads that segment: as many as are asked for, behind those that serve pages."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from core.queue.executor import NICENESS, ThreadExecutor


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")
def test_workers_give_way_to_everything_else() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    with ThreadExecutor(2) as workers:
        assert workers.submit(niceness).result() == max(NICENESS, before)
    assert niceness() == before


def test_an_executor_of_threads_has_no_problem() -> None:
    with ThreadExecutor(1) as workers:
        assert workers.problem is None
        assert workers.submit(lambda: threading.current_thread().name).result().startswith("segment")
