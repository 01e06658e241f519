"""T10: every changing route, from the OpenAPI document: only our own pages, only JSON, only with a key."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.http.conftest import DOCUMENT as OPENAPI
from tests.security.conftest import Walk
from tests.security.test_absence import CHANGE, CHANGING, address

SITES = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
)
# What a page of another site can send without asking: the kinds of a form.
FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "")
JSON = {
    name
    for name in CHANGING
    if "requestBody" in OPENAPI["paths"][name.split(" ")[1]][name.split(" ")[0].lower()]
}


@pytest.mark.parametrize("headers", SITES, ids=str)
def test_no_other_site_changes_anything(walk: Walk, headers: dict[str, str]) -> None:
    before = walk.door.services.db.generation
    for name in CHANGING:
        answer = ask(walk, name, headers | CHANGE)
        assert answer.status_code == 403, name
        assert "another" in answer.json()["error"]["message"].lower(), name
    assert walk.door.services.db.generation == before


def test_a_change_needs_a_key_of_the_clients_choice(walk: Walk) -> None:
    before = walk.door.services.db.generation
    for name in CHANGING:
        assert ask(walk, name, {}).status_code == 400, name
    assert walk.door.services.db.generation == before


@pytest.mark.parametrize("kind", FORMS)
def test_what_is_sent_as_a_form_is_no_change(walk: Walk, kind: str) -> None:
    before = walk.door.services.db.generation
    assert JSON
    for name in JSON:
        answer = ask(walk, name, CHANGE | {"Content-Type": kind}, content=b'{"images": []}')
        assert answer.status_code == 400, (name, answer.text)
    assert walk.door.services.db.generation == before


def test_a_token_that_may_change_needs_no_site(walk: Walk) -> None:
    from core.accounts import Scope  # noqa: PLC0415

    access = walk.door.access
    owner = access.accounts.named("owner")
    assert owner is not None
    client = walk.door.client(token=access.sessions.add_token(owner[0].id, "t", Scope.WRITE, 1))
    method, path = address(walk, "POST /api/projects/{id}/segment")
    answer = client.request(method, path, headers=CHANGE, json={"again": True})
    assert (answer.status_code, answer.json()["queued"]) == (202, 1)


def ask(walk: Walk, name: str, headers: dict[str, str], **sent: Any) -> Any:
    client: TestClient = walk.callers["owner"]
    method, path = address(walk, name)
    return client.request(method, path, headers=headers, **(sent or {"json": {}}))
