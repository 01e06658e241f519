"""Accounts are turned on for an app that was used without them: the first admin owns everything as it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.accounts import Level, Principal, Role
from core.corrections import NewRegion, Region, Tool
from core.corrections.corrections import Gesture
from core.errors import NotFound
from core.models import Project, ReviewState, Verdict
from core.services import Services
from core.settings import Settings
from core.store import JobRequest, NewUpload, UploadBatch
from tests import corpus
from tests.accounts.conftest import PASSWORD
from tests.corrections.conftest import automatic, labels, pixels
from tests.factories import claim
from tests.http.lab import RECIPE, Lab

pytestmark = pytest.mark.slow

# What belongs to access alone, and may differ after it was turned on.
ACCESS_TABLES = {
    "account",
    "session",
    "api_token",
    "password_link",
    "project_member",
    "project_link",
    "audit",
}
WAYS = {"local": {}, "oidc": {"admins": "boss@lab.org"}, "proxy": {"admins": "boss@lab.org"}}
PROXY = {"user_header": "X-User", "proxy_addresses": "10.0.0.5"}


@dataclass(frozen=True)
class Used:
    """An app's data folder after some use by people whom nobody knew by name."""

    data: Path
    project: Project
    image_id: str
    tables: dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def used(data_folder: Path) -> Used:
    """A corrected image, an open draft, a review, uploads, a view, own settings, something in the trash."""
    services = Services.open(Settings(data=data_folder, container_memory_limit_mb=16_384))
    services.queue.drain(5)
    store, lab = services.store, Lab(services.store, services.blobs)
    project, gone = lab.project("Plate", um_per_px=2.0), lab.project("Old plate")
    images = [lab.image(project, name, corpus.png(pixels()) + name.encode()) for name in ("a.png", "b.png")]
    for image in images:
        store.jobs.enqueue(project.id, [image.id], RECIPE)
        assert store.results.finish(claim(store), automatic(services.blobs, labels()))
        version = store.images.get(image.id).version_id
        smaller = NewRegion(1, Region.checked([20, 30, 20, 20], [0, 400], labels().shape))
        gesture = Gesture("op", version, 0, Tool.BRUSH, 100, (smaller,))
        services.corrections.apply(image.id, gesture, "somebody")
        if image is images[0]:
            services.corrections.finish(image.id, 1, version, "somebody", "too large")
            corrected = store.images.get(image.id).version_id
            verdict = Verdict(ReviewState.EXCLUDED, "out of focus")
            services.reviews.judge(image.id, corrected, verdict, "somebody")
    services.uploads.declare(project.id, UploadBatch("batch"), [NewUpload("key", "lost.png", 9)])
    store.saved_views.save(project.id, "A view", [("name", "a")], "somebody")
    store.own_settings.accept(project.id, [images[1].id], RECIPE, JobRequest("somebody"))
    store.jobs.cancel()  # or the next start would begin with it
    store.images.delete(project.id, [lab.image(project, "c.png").id], "somebody")
    store.projects.delete(gone.id, "somebody")
    services.close()
    return Used(data_folder, project, images[0].id, tables(data_folder))


def tables(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that is not about access."""
    with duckdb.connect(str(data / "spheroscope.duckdb"), read_only=True) as connection:
        names = [row[0] for row in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {
            name: connection.sql(f'SELECT * FROM "{name}" ORDER BY ALL').fetchall()
            for name in names
            if name not in ACCESS_TABLES
        }


def first_admin(services: Services, auth: str) -> Principal:
    access = services.access
    if auth == "local":
        link = access.first_admin_link()
        assert link is not None
        return access.choose_password(link, "Boss", PASSWORD, "10.0.0.1", "").principal
    boss = access.by_name("boss@lab.org")
    assert boss is not None
    return boss


@pytest.mark.parametrize("auth", WAYS)
def test_the_first_admin_owns_everything_and_nothing_is_changed(used: Used, auth: str) -> None:
    more = WAYS[auth] | (PROXY if auth == "proxy" else {})
    settings = Settings(data=used.data, auth=auth, container_memory_limit_mb=16_384, **more)
    services = Services.open(settings)
    services.queue.drain(5)
    boss = first_admin(services, auth)
    assert boss.role is Role.ADMIN
    owned = services.access.members.of_account(boss.account_id or "")
    ids = {row[0] for row in used.tables["project"]}
    assert len(ids) == 2, "the deleted project, too"
    assert owned == dict.fromkeys(ids, Level.OWN)
    mine = services.for_caller(boss)
    assert [project.name for project in mine.store.projects.list()] == ["Plate"]
    assert mine.store.images.get(used.image_id).review is ReviewState.EXCLUDED
    assert mine.store.results.versions(used.image_id)[0].author == "somebody"
    assert mine.store.saved_views.of_project(used.project.id)[0].name == "A view"
    assert [upload.path for upload in mine.uploads.listed(used.project.id)] == ["lost.png"]
    assert mine.store.trash.items(9).total == 2
    draft = next(item.id for item in mine.store.images.page(used.project.id).items if item.name == "b.png")
    assert mine.corrections.draft(draft).revision == 1
    assert mine.store.correction_audit.of_image(used.image_id)
    mine.store.projects.restore(next(key for key in ids if key != used.project.id))
    assert len(mine.store.projects.list()) == 2
    mine.store.projects.delete(next(key for key in ids if key != used.project.id), "somebody")
    services.close()
    now = tables(used.data)
    differing = {name for name, rows in used.tables.items() if now[name] != rows}
    assert differing <= {"project"}, "the project that was restored and deleted again"
    assert now.keys() == used.tables.keys()


def test_accounts_made_later_own_no_earlier_project(used: Used) -> None:
    services = Services.open(Settings(data=used.data, auth="local", container_memory_limit_mb=16_384))
    services.queue.drain(5)
    first_admin(services, "local")
    access = services.access
    for name, role in (("ana", Role.MEMBER), ("second", Role.ADMIN)):
        account = access.accounts.create(name, role)
        assert access.members.of_account(account.id) == {}
    ana = access.by_name("ana")
    assert ana is not None
    assert services.for_caller(ana).store.projects.list() == ()
    with pytest.raises(NotFound):
        services.for_caller(ana).corrections.draft(used.image_id)
    services.close()


def test_turned_off_again_everything_is_everybodys_at_this_computer(used: Used) -> None:
    for auth in ("local", "none"):
        services = Services.open(Settings(data=used.data, auth=auth, container_memory_limit_mb=16_384))
        services.queue.drain(5)
        if auth == "local":
            first_admin(services, auth)
        else:
            assert [project.name for project in services.store.projects.list()] == ["Plate"]
        services.close()
    assert tables(used.data) == used.tables
