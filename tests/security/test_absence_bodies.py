"""The walk of absence with what each route really takes: refusals that are not about the body.

Every changing route has a body here with which a member succeeds; whoever may not is refused with the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from core.accounts.policy import Subject
from core.accounts.policy_doc import CALLERS, allows
from tests import corpus
from tests.security.conftest import UPLOAD, Walk
from tests.security.test_absence import CHANGING, address

CALLED = ("nobody", "viewer elsewhere", "member elsewhere", "token elsewhere", "link", "viewer", "read token")


@dataclass(frozen=True)
class Change:
    """One request that a member may make, and how it is answered."""

    name: str
    status: int
    json: dict[str, Any] | None = None
    content: bytes | None = None
    query: dict[str, str] = field(default_factory=dict)
    key: str = "a change"


def changes(walk: Walk) -> list[Change]:
    """Every changing route, in an order in which each finds what it needs."""
    version = walk.door.services.store.images.get(walk.image.id).version_id
    about = {"version_id": version, "base_revision": 0}
    brush = about | {"tool": "brush", "objects": [{"number": 1, "box": [5, 5, 8, 8], "runs": [0, 64]}]}
    mask = np.zeros(corpus.noise().shape, np.uint16)
    mask[20:30, 20:30] = 1
    drawing = {"version_id": version, "objects": [{"box": [5, 5, 8, 8], "runs": [0, 64]}]}
    image, project, outlines = "/api/images/{id}", "/api/projects/{id}", corpus.png(mask)
    again = [{"key": "c", "path": "c.png", "n_bytes": 9}]
    return [
        Change(f"POST {image}/second-opinions", 400, drawing),  # nobody has judged the result yet
        Change(f"POST {project}/second-opinions/next", 200, {}),
        Change(f"PUT {image}/review", 204, {"version_id": version, "state": "right"}),
        Change(f"POST {project}/review/next", 200, {}),
        Change(f"POST {image}/corrections", 200, brush, key="a gesture to be discarded"),
        Change(f"DELETE {image}/corrections", 204, {"revision": 1}),
        Change(f"POST {image}/corrections/reopen", 404, {"draft_id": "of another image"}),
        Change(f"POST {image}/corrections", 200, brush, key="gesture"),
        # there is no outline to take anything from
        Change(f"POST {image}/corrections/click", 400, about | {"x": 2.5, "y": 2.5, "away": True}),
        Change(f"POST {image}/corrections/undo", 200, about | {"base_revision": 2}, key="undo"),
        Change(f"POST {image}/corrections/redo", 200, about | {"base_revision": 3}, key="redo"),
        Change(f"POST {image}/corrections/done", 200, {"revision": 4, "in_force": version}),
        Change(f"PUT {image}/versions", 409, {"version_id": version, "in_force": "another"}),
        Change(f"POST {project}/outlines", 200, content=outlines, query={"path": "a_masks.png"}),
        Change(f"POST {project}/segment", 202, {"again": True}),
        Change(f"POST {project}/uploads", 201, {"batch": "b", "files": again}),
        Change(f"DELETE {project}/uploads/{{key}}", 200),
        Change(f"DELETE {project}/uploads", 204),
        Change(
            f"POST {project}/images", 201, content=corpus.png(corpus.noise((9, 9))), query={"path": "d.png"}
        ),
    ]


def ask(walk: Walk, change: Change, caller: str) -> Any:
    method, path = address(walk, change.name)
    sent: dict[str, Any] = {"json": change.json} if change.json is not None else {"content": change.content}
    headers = {"Idempotency-Key": change.key}
    return walk.callers[caller].request(method, path, headers=headers, params=change.query, **sent)


def test_every_changing_route_has_a_body_here(walk: Walk) -> None:
    assert {change.name for change in changes(walk)} == set(CHANGING)


@pytest.mark.parametrize("caller", CALLED)
def test_callers_without_rights_are_refused_whatever_the_body(walk: Walk, caller: str) -> None:
    before = state(walk)
    elsewhere = caller in ("viewer elsewhere", "member elsewhere", "token elsewhere")
    expected = 401 if caller == "nobody" else 404 if elsewhere else 403
    for change in changes(walk):
        assert ask(walk, change, caller).status_code == expected, change.name
    assert state(walk) == before


def state(walk: Walk) -> tuple[object, ...]:
    """What these routes change."""
    services = walk.door.services
    store, image = services.store, services.store.images.get(walk.image.id)
    drafts = services.corrections.draft(image.id).revision, store.correction_audit.of_image(image.id)
    listed = store.images.page(walk.project.id).items, store.results.versions(image.id)
    return image, *drafts, *listed, store.jobs.page(None).items, services.uploads.listed(walk.project.id)


@pytest.mark.parametrize("caller", ["member", "owner", "admin"])
def test_callers_with_rights_succeed_with_the_same_body(walk: Walk, caller: str) -> None:
    principal = CALLERS[caller]
    assert principal is not None
    for change in changes(walk):
        answer = ask(walk, change, caller)
        assert answer.status_code == change.status, (change.name, answer.text)


def test_what_somebody_corrects_and_says_is_recorded_in_their_name(walk: Walk) -> None:
    for change in changes(walk):
        ask(walk, change, "member")
    history = walk.callers["viewer"].get(f"/api/images/{walk.image.id}/history").json()["changes"]
    assert {row["who"] for row in history} == {"member"}
    audit = walk.door.access.audit.page(100)
    assert {row.name for row in audit if row.action == "corrected"} == {"member"}


def test_a_visitor_by_link_reads_what_a_viewer_reads_and_no_more(walk: Walk) -> None:
    from tests.security.test_absence import READING  # noqa: PLC0415

    for name, rule in READING.items():
        if rule.subject is Subject.NONE:
            continue
        method, path = address(walk, name)
        assert allows(rule, CALLERS["link"]) == allows(rule, CALLERS["viewer"]), name
        statuses = {walk.callers[caller].request(method, path).status_code for caller in ("link", "viewer")}
        assert len(statuses) == 1, name


def test_pictures_are_for_those_who_may_see_them_also_once_they_are_cached(walk: Walk) -> None:
    """Pictures are kept by the app for all who may see them; whoever may not is asked first, every time."""
    paths = [f"/thumbs/{walk.image.id}", f"/downloads/images/{walk.image.id}/overlay.png"]
    paths += [f"/views/{walk.image.id}.png?contrast={contrast}" for contrast in ("raw", "stretch")]
    for path in paths:
        shown = walk.callers["viewer"].get(path)
        assert shown.status_code == 200, path
        assert "private" in shown.headers["cache-control"], path
        tag = {"If-None-Match": shown.headers["etag"]}
        assert walk.callers["viewer"].get(path, headers=tag).status_code == 304, path
        for caller in ("viewer elsewhere", "member elsewhere", "token elsewhere"):
            assert walk.callers[caller].get(path, headers=tag).status_code == 404, (path, caller)
        assert walk.callers["nobody"].get(path, headers=tag).status_code == 401, path
        assert walk.callers["expired"].get(path, headers=tag).status_code == 401, path


def test_a_member_who_is_taken_out_sees_nothing_from_the_next_request_on(walk: Walk) -> None:
    path = f"/thumbs/{walk.image.id}"
    assert walk.callers["viewer"].get(path).status_code == 200
    viewer = walk.door.access.accounts.named("viewer")
    assert viewer is not None
    walk.door.access.members.set_level(walk.project.id, viewer[0].id, None)
    assert walk.callers["viewer"].get(path).status_code == 404
    assert UPLOAD not in walk.callers["viewer"].get("/api/uploads").text
