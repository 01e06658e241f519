"""T11: what is another's is answered after the same work as what never was, so no time tells them apart.

Times depend on the machine; statements do not. `python -m bench access` has the times.
"""

from __future__ import annotations

from typing import Any

import pytest

from core.accounts.policy import ROUTES, Subject
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


@pytest.mark.parametrize("caller", ["viewer elsewhere", "member elsewhere", "token elsewhere"])
def test_anothers_takes_the_statements_of_what_never_was(walk: Walk, caller: str) -> None:
    assert len(BY_ID) > 30
    for name, rule in BY_ID.items():
        ask(walk, caller, name, None)  # what is read of the caller once is kept
        theirs, never = (ask(walk, caller, name, item) for item in (None, UNKNOWN[rule.subject]))
        assert theirs == never, name


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
