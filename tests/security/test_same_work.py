"""T11: what is another's is answered after the same work as what never was, so no time tells them apart.

Times depend on the machine; statements do not. `python -m bench access` has the times.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from core.accounts.policy import ROUTES, Subject
from core.accounts.rates import RateLimiter
from core.monitoring import QueryRecorder
from tests.security.conftest import Door, Walk
from tests.security.test_absence import CHANGE, UNKNOWN, address

# Chores of the app, whoever asks meanwhile; and what is read of a caller now and then.
OWN_TIME = (
    "metrics.",
    "retention.",
    "uploads.",
    "jobs.totals",
    "sessions.get",
    "sessions.use",
    "accounts.get",
)
OWN_TIME += ("members.of_account", "members.link")
BY_ID = {name: rule for name, rule in ROUTES.items() if rule.subject is not Subject.NONE}
GUESSES = 10_000
THEIRS_EVERY = 10  # of the guesses, one that hits what is another's


@pytest.mark.parametrize("caller", ["viewer elsewhere", "member elsewhere", "token elsewhere"])
def test_a_request_for_anothers_thing_runs_the_same_statements_as_for_none(walk: Walk, caller: str) -> None:
    assert len(BY_ID) > 30
    for name, rule in BY_ID.items():
        ask(walk, caller, name, None)  # what is read of the caller once is kept
        theirs, never = (ask(walk, caller, name, item) for item in (None, UNKNOWN[rule.subject]))
        assert theirs == never, name


@pytest.mark.full
@pytest.mark.timeout(900)
def test_ten_thousand_guesses_are_answered_alike(walk: Walk) -> None:
    """One in ten hits what is another's: no status, word or statement tells it from the others."""
    walk.door.access.downloads = RateLimiter(10**9, lambda: 0.0)
    routes = list(BY_ID)
    for name in routes:
        ask(walk, "member elsewhere", name, None)  # what is read of the caller once is kept
    answers: dict[str, set[tuple[Any, ...]]] = {name: set() for name in routes}
    for number in range(GUESSES):
        name = routes[number % len(routes)]
        is_theirs = number // len(routes) % THEIRS_EVERY == 0
        guess = None if is_theirs else secrets.token_hex(len(UNKNOWN[BY_ID[name].subject]) // 2)
        status, body, statements = ask(walk, "member elsewhere", name, guess)
        answers[name].add((status, body, tuple(statements)))
    assert {name: len(alike) for name, alike in answers.items()} == dict.fromkeys(routes, 1)
    assert {status for alike in answers.values() for status, *_ in alike} == {404}


def test_a_name_that_nobody_has_is_refused_after_the_same_statements(door: Door) -> None:
    door.account("ana")
    client, answers = door.client(), []
    for name in ("ana", "nobody", "ana", "nobody"):
        ran: list[str] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                QueryRecorder, "record", lambda _self, statement, *_, ran=ran: ran.append(statement)
            )
            answer = client.post("/access/sign-in", data={"name": name, "password": "wrong"})
        answers.append((answer.status_code, of_the_request(ran)))
    assert answers[2] == answers[3]
    assert answers[2][1], "nothing was looked at"
    assert {row.name for row in door.access.audit.page(9)} == {"ana", "a name that nobody has"}


def of_the_request(ran: list[str]) -> list[str]:
    """Return the statements of a request among those that were run meanwhile."""
    return [item for item in ran if not item.startswith(OWN_TIME) and not item.endswith(".purge")]


def ask(walk: Walk, caller: str, name: str, item: str | None) -> tuple[int, bytes, list[str]]:
    """Return status, body and the statements that were run for one request."""
    method, path = address(walk, name, item)
    change: dict[str, Any] = {} if method == "GET" else {"headers": CHANGE, "json": {}}
    ran: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QueryRecorder, "record", lambda _self, statement, *_: ran.append(statement))
        answer = walk.callers[caller].request(method, path, **change)
    return answer.status_code, answer.content, of_the_request(ran)
