"""Guessing is slow, and nobody can be locked out by others."""

from __future__ import annotations

import pytest

from core.accounts.attempts import (
    ATTACK_FAILURES,
    FREE_TRIES,
    FREE_TRIES_OF_ADDRESS,
    MAX_COUNTS,
    MAX_WAIT_S,
    AttemptLimiter,
    Visitor,
    network_of,
)
from core.errors import TooManyAttempts
from tests.accounts.conftest import Time

OWNER, OTHER = Visitor("10.0.0.1"), Visitor("10.0.0.2")


@pytest.fixture
def limiter(time: Time) -> AttemptLimiter:
    return AttemptLimiter(time.monotonic)


def tries_until_refused(limiter: AttemptLimiter, visitor: Visitor, name: str = "ana") -> int:
    for number in range(1000):
        try:
            limiter.begin(name, visitor)
        except TooManyAttempts:
            return number
    raise AssertionError("never refused")


def test_a_few_tries_are_free_and_each_failure_after_them_doubles_the_wait(
    limiter: AttemptLimiter, time: Time
) -> None:
    assert tries_until_refused(limiter, OWNER) == FREE_TRIES
    waits = []
    for _ in range(12):
        with pytest.raises(TooManyAttempts) as refused:
            limiter.begin("ana", OWNER)
        waits.append(refused.value.seconds)
        assert "Try again in" in refused.value.message
        time.pass_by(seconds=refused.value.seconds)
        limiter.begin("ana", OWNER)
    assert waits[:4] == [2.0, 4.0, 8.0, 16.0]
    assert waits[-1] == MAX_WAIT_S


def test_wrong_passwords_slow_down_their_own_browser_alone(limiter: AttemptLimiter) -> None:
    tries_until_refused(limiter, OTHER)
    limiter.begin("ana", OWNER)
    limiter.begin("bo", OTHER)


def test_a_thousand_addresses_do_not_shut_out_the_owner(limiter: AttemptLimiter) -> None:
    for number in range(1000):
        limiter.begin("ana", Visitor(f"10.1.{number // 250}.{number % 250}"))
    limiter.begin("ana", OWNER)
    limiter.succeeded("ana", OWNER)
    limiter.begin("ana", OWNER)


def test_a_browser_that_was_signed_in_before_has_a_count_of_its_own(limiter: AttemptLimiter) -> None:
    tries_until_refused(limiter, OTHER)
    known = Visitor(OTHER.address, "a device")
    assert tries_until_refused(limiter, known) == FREE_TRIES


def test_while_a_name_is_attacked_new_addresses_get_one_try(limiter: AttemptLimiter) -> None:
    for number in range(ATTACK_FAILURES):
        limiter.begin("ana", Visitor(f"10.2.0.{number}"))
    assert tries_until_refused(limiter, Visitor("10.3.0.1")) == 1
    assert tries_until_refused(limiter, Visitor("10.3.0.2"), "bo") == FREE_TRIES


def test_one_address_cannot_go_through_many_names(limiter: AttemptLimiter) -> None:
    for number in range(FREE_TRIES_OF_ADDRESS):
        limiter.begin(f"name {number}", OTHER)
    with pytest.raises(TooManyAttempts):
        limiter.begin("one more", OTHER)


def test_success_forgets_ones_own_failures(limiter: AttemptLimiter) -> None:
    for _ in range(20):
        for _ in range(FREE_TRIES - 1):
            limiter.begin("ana", OWNER)
        limiter.succeeded("ana", OWNER)
        if limiter._counts[("address", OWNER.address)].failures > FREE_TRIES_OF_ADDRESS - FREE_TRIES:
            break
    limiter.begin("ana", OWNER)


def test_failures_are_forgotten_after_an_hour(limiter: AttemptLimiter, time: Time) -> None:
    tries_until_refused(limiter, OWNER)
    time.pass_by(hours=1, seconds=1)
    assert tries_until_refused(limiter, OWNER) == FREE_TRIES


def test_memory_is_bounded(limiter: AttemptLimiter) -> None:
    for number in range(MAX_COUNTS // 2):
        limiter._add(("pair", str(number), "ana"), 0.0)
        limiter._add(("address", str(number)), 0.0)
    limiter.begin("ana", OWNER)
    assert len(limiter._counts) == MAX_COUNTS


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_counts_as_its_network(address: str, network: str) -> None:
    assert network_of(address) == network
