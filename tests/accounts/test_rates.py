"""Calls a minute: so many at once, then steadily, and one caller's do not count for another."""

from __future__ import annotations

import pytest

from core.accounts.rates import MAX_CALLERS, RateLimiter
from core.errors import TooManyAttempts
from tests.accounts.conftest import Time


def test_a_minutes_calls_may_be_used_at_once_and_come_back_steadily(time: Time) -> None:
    limiter = RateLimiter(60, time.monotonic)
    for _ in range(60):
        limiter.take("ana")
    with pytest.raises(TooManyAttempts) as refused:
        limiter.take("ana")
    assert refused.value.seconds == pytest.approx(1.0)
    limiter.take("bo")
    time.pass_by(seconds=1.01)
    limiter.take("ana")
    with pytest.raises(TooManyAttempts):
        limiter.take("ana")
    time.pass_by(hours=1)
    for _ in range(60):
        limiter.take("ana")


def test_callers_are_forgotten(time: Time) -> None:
    limiter = RateLimiter(1, time.monotonic)
    for number in range(MAX_CALLERS + 5):
        limiter.take(str(number))
    assert len(limiter._left) == MAX_CALLERS
