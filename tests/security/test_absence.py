"""The walk of absence: every route, page and method as everybody; what is not theirs is not there."""

from __future__ import annotations

import inspect
from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.accounts.caller import STORE_PARTS, Caller
from core.accounts.policy import INTERNAL, METHODS, PAGES, ROUTES, MethodRule, Subject
from core.accounts.policy_doc import CALLERS, DOCUMENT, THIS, allows, with_table
from core.accounts.rates import RateLimiter
from core.corrections import regions_of
from core.corrections.second_opinions import Drawing
from core.errors import NotAllowed, NotFound, QuotaExceeded
from core.images import label_png
from core.models import ReviewState, Verdict
from core.services import GUARDED
from core.store import JobRequest
from tests import corpus
from tests.corrections.conftest import labels, pixels
from tests.http.conftest import DOCUMENT as OPENAPI
from tests.http.lab import Lab
from tests.security.conftest import UPLOAD, Walk
from tests.test_architecture import page_files

READING = {name: rule for name, rule in ROUTES.items() if name.startswith("GET ")}
CHANGING = {name: rule for name, rule in ROUTES.items() if name not in READING}
CHANGE = {"Idempotency-Key": "a change"}
UNKNOWN = {Subject.PROJECT: "0" * 16, Subject.IMAGE: "0" * 32, Subject.EXPORT: "0" * 32}


def address(walk: Walk, name: str, item: str | None = None) -> tuple[str, str]:
    method, path = name.split(" ")
    ids = {Subject.PROJECT: walk.project.id, Subject.IMAGE: walk.image.id, Subject.EXPORT: walk.export_id}
    subject = ROUTES[name].subject
    return method, path.replace("{id}", item or ids.get(subject, "")).replace("{key}", UPLOAD)


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    routes = {f"{method.upper()} {path}" for path, item in OPENAPI["paths"].items() for method in item}
    assert routes == set(ROUTES), "core/accounts/policy.py, ROUTES: say who may use each route"


def test_every_page_has_a_rule_and_every_rule_a_page() -> None:
    pages = {path.name for path in page_files() if not path.name.startswith("_")}
    assert pages == set(PAGES), "core/accounts/policy.py, PAGES: say who may open each page"


def test_every_method_that_pages_and_routes_may_call_has_a_rule(walk: Walk) -> None:
    services = walk.door.services
    parts = {name: getattr(services.store, name) for name in STORE_PARTS}
    parts |= {name: getattr(services, name) for name in GUARDED if name != "queue"}
    found = {
        f"{name}.{method}"
        for name, part in parts.items()
        for method, _ in inspect.getmembers(part, callable)
        if not method.startswith("_")
    }
    inside = {
        "page_index",
        "exports",
        "retention",
        "uploads",
        "add_images",
        "corrections",
        "reviews",
        "second_opinions",
        "watched_folders",
    }  # of the store, for the app alone
    named = {name for name in dir(services.store) if not name.startswith("_")}
    named -= {name.removeprefix("store.") for name in METHODS if name.startswith("store.")}
    assert named - inside == set(STORE_PARTS), "core/accounts/caller.py, STORE_PARTS"
    missing = found - set(METHODS) - INTERNAL
    assert not missing, (
        "core/accounts/policy.py, METHODS: say who may call each, or INTERNAL for the app alone"
    )


def test_the_table_of_the_documentation_is_the_policy() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == with_table(text), "write it by: python -m core.accounts.policy_doc"


def test_every_route_that_reads_as_everybody(walk: Walk) -> None:
    wrong = []
    for name, rule in READING.items():
        method, path = address(walk, name)
        for caller, principal in CALLERS.items():
            status = walk.callers[caller].request(method, path).status_code
            allowed = allows(rule, principal)
            expected = 200 if allowed else 401 if principal is None else 404
            wrong += [(name, caller, status, expected)] if status != expected else []
        status = walk.callers["expired"].request(method, path).status_code
        assert status == (200 if allows(rule, None) else 401), (name, "expired")
    assert not wrong, "\n".join(map(str, wrong))


def test_every_route_that_changes_as_everybody(walk: Walk) -> None:
    generation = walk.door.services.db.generation
    refused, taken = [], []
    for name, rule in CHANGING.items():
        method, path = address(walk, name)
        for caller, principal in CALLERS.items():
            if allows(rule, principal):
                taken.append((method, path, caller))
                continue
            answer = walk.callers[caller].request(method, path, headers=CHANGE, json={})
            expected = 401 if principal is None else 403 if principal.reaches(THIS) else 404
            if answer.status_code != expected:
                refused.append((name, caller, answer.status_code, expected))
    assert not refused, "\n".join(map(str, refused))
    assert walk.door.services.db.generation == generation
    for method, path, caller in taken:
        answer = walk.callers[caller].request(method, path, headers=CHANGE, json={})
        assert answer.status_code not in (401, 403), (method, path, caller)
    assert {caller for *_, caller in taken} == {"member", "owner", "admin"}


def test_things_of_others_are_answered_as_if_they_never_existed(walk: Walk) -> None:
    for name, rule in READING.items():
        if rule.subject is Subject.NONE:
            continue
        for caller in ("viewer elsewhere", "member elsewhere", "token elsewhere"):
            client = walk.callers[caller]
            theirs = client.request(*address(walk, name))
            never = client.request(*address(walk, name, UNKNOWN[rule.subject]))
            assert (theirs.status_code, theirs.content) == (never.status_code, never.content), (name, caller)
            tag = {"If-None-Match": "*"}
            assert client.request(*address(walk, name), headers=tag).status_code == 404, (name, caller)


def test_lists_and_counts_hold_only_what_is_theirs(walk: Walk) -> None:
    services = walk.door.services
    services.store.jobs.enqueue(walk.project.id, (walk.image.id,), services.recipe(walk.project))
    for caller, names, jobs in (
        ("member", ["This"], 1),
        ("member elsewhere", ["Another"], 0),
        ("admin", ["Another", "This"], 1),
        ("link", ["This"], 1),
        ("token elsewhere", ["Another"], 0),
    ):
        client = walk.callers[caller]
        found = client.get("/api/projects", params={"sort": "name"}).json()
        assert ([item["name"] for item in found["projects"]], found["total"]) == (names, len(names)), caller
        listed = client.get("/api/jobs", params={"state": "queued"}).json()
        assert (len(listed["jobs"]), listed["total"]) == (jobs, jobs), caller
        assert listed["totals"]["left"] == jobs, caller
        assert client.get("/api/queue").json()["left"] == jobs, caller
        assert client.get("/api/version").json()["active"] == jobs, caller
        other = client.get("/api/jobs", params={"project": walk.project.id})
        assert other.status_code == (200 if "This" in names else 404), caller


def test_no_answer_is_kept_for_others(walk: Walk) -> None:
    tags = {}
    for caller in ("member", "owner", "admin"):
        for name in READING:
            answer = walk.callers[caller].request(*address(walk, name))
            if answer.status_code == 200:
                kept = answer.headers.get("cache-control", "no-store")
                assert "private" in kept or "no-store" in kept, (name, kept)
                assert "public" not in kept, name
        tags[caller] = walk.callers[caller].get("/api/projects").headers["etag"]
    assert len(set(tags.values())) == len(tags)
    stale = walk.callers["member elsewhere"].get("/api/projects", headers={"If-None-Match": tags["admin"]})
    assert stale.status_code == 200


GUARDED_METHODS = sorted(
    name
    for name, use in METHODS.items()
    if use.argument in ("project_id", "image_id", "image", "ids", "export_id", "request")
)


@pytest.mark.parametrize(
    "caller", ["viewer elsewhere", "token elsewhere", "viewer", "link", "read token", "member"]
)
def test_every_method_as_everybody(walk: Walk, caller: str) -> None:
    principal = CALLERS[caller]
    assert principal is not None
    before = walk.door.services.db.generation
    for name in GUARDED_METHODS:
        use = METHODS[name]
        allowed = principal.reaches(THIS, use.level)
        if allowed:
            continue
        expected = NotAllowed if principal.reaches(THIS) else NotFound
        with pytest.raises(expected):
            check(walk, use, caller)
    assert walk.door.services.db.generation == before


def check(walk: Walk, use: MethodRule, caller: str) -> None:
    principal = CALLERS[caller]
    assert principal is not None
    levels = {
        walk.project.id if key == THIS else walk.other.id: level
        for key, level in (principal.projects or {}).items()
    }
    services = walk.door.services
    somebody = Caller(
        replace(principal, projects=levels), services.access, lambda key: services.exports.get(key).project_id
    )
    given = {
        "project_id": walk.project.id,
        "image_id": walk.image.id,
        "image": walk.image,
        "ids": (walk.image.id,),
        "export_id": walk.export_id,
        "request": SimpleNamespace(project_id=walk.project.id),
    }
    somebody.check_rule(use, given)


def test_a_viewer_is_told_what_it_takes_and_changes_nothing(walk: Walk) -> None:
    principal = walk.door.access.by_name("viewer")
    assert principal is not None
    services = walk.door.services.for_caller(principal)
    assert services.store.projects.get(walk.project.id).name == "This"
    with pytest.raises(NotAllowed, match="not change it"):
        services.store.images.delete(walk.project.id, (walk.image.id,))
    with pytest.raises(NotAllowed, match="owner"):
        services.store.projects.rename(walk.project.id, "Mine")
    with pytest.raises(NotAllowed, match="another role"):
        services.create_project("Mine")
    with pytest.raises(NotAllowed, match="no rule"):
        services.store.retention  # noqa: B018
    with pytest.raises(NotAllowed, match="no rule"):
        services.store.jobs.claim("x", "y")
    assert walk.door.services.store.projects.get(walk.project.id).n_images == 1


def test_a_share_of_the_disk_and_of_the_queue_is_a_limit(walk: Walk) -> None:
    access = walk.door.access
    principal = access.by_name("owner")
    assert principal is not None
    services = walk.door.services.for_caller(principal)
    recipe = services.recipe(walk.project)
    full = access.rules
    access.rules = replace(full, disk_bytes=1)
    with pytest.raises(QuotaExceeded, match="of the disk"):
        services.ingest.add(walk.project.id, "b.png", b"x", None)
    access.rules = replace(full, waiting_images=1)
    request = JobRequest("owner")
    services.store.jobs.enqueue(walk.project.id, (walk.image.id,), recipe, request)
    with pytest.raises(QuotaExceeded, match="may wait"):
        services.store.jobs.enqueue(walk.project.id, (walk.image.id,), recipe, request)
    access.rules = full


def test_downloads_have_a_rate(walk: Walk) -> None:
    walk.door.access.downloads = RateLimiter(5, lambda: 0.0)
    path = f"/downloads/images/{walk.image.id}/original"
    answers = [walk.callers["member"].get(path) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert answers[-1].json()["error"]["code"] == "too_many_attempts"
    assert walk.callers["owner"].get(path).status_code == 200


def test_what_is_done_is_in_the_audit(walk: Walk) -> None:
    principal = walk.door.access.by_name("owner")
    assert principal is not None
    services = walk.door.services.for_caller(principal)
    services.store.images.delete(walk.project.id, (walk.image.id,))
    services.store.images.restore(walk.project.id, (walk.image.id,))
    services.store.projects.rename(walk.project.id, "Renamed")
    rows = [(row.name, row.action, row.subject, row.project) for row in services.access.audit.page(3)]
    assert rows == [
        ("owner", "changed settings", "Renamed", "Renamed"),
        ("owner", "restored", "1 selected", "Renamed"),
        ("owner", "deleted", "1 selected", "Renamed"),
    ]


def test_what_is_said_of_an_image_is_in_the_audit_with_its_name(walk: Walk) -> None:
    services, image = walk.door.services, walk.image
    principal = services.access.by_name("member")
    assert principal is not None
    reviews = services.for_caller(principal).reviews
    version = services.store.images.get(image.id).version_id
    reviews.judge(image.id, version, Verdict(ReviewState.EXCLUDED, "debris"), "member")
    reviews.take_back(image.id, version, "member")
    rows = [(row.name, row.action, row.subject, row.project) for row in services.access.audit.page(2)]
    assert rows == [
        ("member", "took a review back", "a.png", "This"),
        ("member", "reviewed", "a.png: excluded: debris", "This"),
    ]


def test_a_second_opinion_is_in_the_audit_in_the_name_of_who_drew(walk: Walk) -> None:
    services = walk.door.services
    lab = Lab(services.store, services.blobs)
    image = lab.image(walk.project, "drawn.png", corpus.png(pixels()))
    image = lab.measured(image, mask=label_png.encode(labels()))
    version = str(image.version_id)
    services.reviews.judge(image.id, version, Verdict(ReviewState.RIGHT), "owner")
    principal = services.access.by_name("member")
    assert principal is not None
    drawing = Drawing("a", version, tuple(regions_of(labels()).values()))
    services.for_caller(principal).second_opinions.add(image.id, drawing, "member")
    (row,) = services.access.audit.page(1)
    assert (row.name, row.action, row.subject) == ("member", "gave a second opinion", "drawn.png")
