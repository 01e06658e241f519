"""Views of a project's table: saved under a name, refused with a sentence, gone with their project."""

from __future__ import annotations

import pytest

from core.clock import utc_now
from core.db import Database
from core.errors import InvalidRequest, NotFound
from core.models import Project
from core.store import Store
from core.store import saved_views as module
from tests.factories import ENGINE


@pytest.fixture
def store(db: Database) -> Store:
    return Store(db)


@pytest.fixture
def project(store: Store) -> Project:
    return store.projects.create("Plate", ENGINE)


def test_views_are_listed_by_name_with_their_query(store: Store, project: Project) -> None:
    store.saved_views.save(project.id, " To  check ", [("sort", "name"), ("look_at_this", "true")], "Ana")
    store.saved_views.save(project.id, "empty", [("name", "A&B=µ")], "page")
    empty, check = store.saved_views.of_project(project.id)
    assert (check.name, check.query, check.created_by) == ("To check", "look_at_this=true&sort=name", "Ana")
    assert (empty.name, empty.query) == ("empty", "name=A%26B%3D%C2%B5")
    assert check.created_at <= utc_now()
    store.saved_views.delete(project.id, check.id)
    store.saved_views.delete(project.id, check.id)
    assert [view.name for view in store.saved_views.of_project(project.id)] == ["empty"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (" \n", "Give the view a name"),
        ("x" * 61, "this one has 61"),
        ("FIRST", "already a view named “FIRST”"),
    ],
)
def test_a_name_that_cannot_be_is_refused(store: Store, project: Project, name: str, sentence: str) -> None:
    store.saved_views.save(project.id, "first", [], "page")
    with pytest.raises(InvalidRequest, match=sentence):
        store.saved_views.save(project.id, name, [], "page")
    assert len(store.saved_views.of_project(project.id)) == 1


def test_too_much_is_refused(store: Store, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match="too long for an address"):
        store.saved_views.save(project.id, "long", [("name", "x" * 2000)], "page")
    with pytest.raises(NotFound):
        store.saved_views.save("none", "first", [], "page")
    monkeypatch.setattr(module, "MAX_VIEWS", 1)
    store.saved_views.save(project.id, "first", [], "page")
    with pytest.raises(InvalidRequest, match="Delete one first"):
        store.saved_views.save(project.id, "second", [], "page")


def test_views_go_with_their_project(store: Store, project: Project) -> None:
    other = store.projects.create("Other", ENGINE)
    for owner in (project, other):
        store.saved_views.save(owner.id, "first", [], "page")
    store.projects.delete(project.id)
    store.retention.purge_deleted(0)
    assert store.saved_views.of_project(project.id) == ()
    assert len(store.saved_views.of_project(other.id)) == 1
