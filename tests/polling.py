"""Waiting on a condition with a deadline, in place of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def wait_until(condition: Callable[[], T], seconds: float = 60.0, what: str = "") -> T:
    """Ask ``condition`` until it gives something true, and return that.

    Raises:
        AssertionError: it has not after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not (outcome := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what or condition}"
        time.sleep(POLL_SECONDS)
    return outcome
