"""Whoever may only look at a project is offered nothing that is then refused, on any page, now or later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.accounts import Level, Role
from core.accounts.policy import PAGES, Subject
from core.models import Image, Project
from core.services import Services
from core.store import JobRequest, NewUpload, UploadBatch
from core.ui.components import grid as grids
from core.ui.components import uploads, viewer
from tests import corpus
from tests.http.lab import RECIPE, Lab, disc
from tests.pages.conftest import open_as, texts

REFUSALS = ("not change it", "Only an owner", "another role", "may look here", "Only an admin")
PEOPLE = {"ana": (Role.MEMBER, Level.OWN), "max": (Role.MEMBER, Level.VIEW), "eve": (Role.VIEWER, Level.EDIT)}
VIEWERS = ("max", "eve")  # a member with whom it was shared to look at; a viewer, whatever was shared
OWN = {
    "Make the token",
    "New project",
    "Load demo plate",
    "Create",
}  # nobody needs a right to another's for it
PRESSES = 40  # of one page: as many are reached from one as from the others


@pytest.fixture
def project(with_accounts: Services) -> Project:
    """A project of Ana: results, an earlier result, a failure, jobs, uploads, views, something deleted."""
    access, store = with_accounts.access, with_accounts.store
    ids = {name: access.accounts.create(name, role).id for name, (role, _) in PEOPLE.items()}
    made = store.projects.create("Plate", RECIPE.engine, owner=ids["ana"])
    for name, (_, level) in PEOPLE.items():
        access.members.set_level(made.id, ids[name], level)
    rows = Lab(store, with_accounts.blobs)
    labels = np.zeros(corpus.noise().shape, np.uint16)
    labels[5:15, 5:15] = 1
    mask = corpus.png(labels)
    shown = rows.measured(rows.image(made, "a.png"), disc(), mask=mask)
    rows.measured(shown, disc(radius=12), recipe=replace(RECIPE, params={"b": 2}), mask=mask)
    rows.image(made, "new.png")
    gone = rows.image(made, "gone.png")
    waiting = rows.image(made, "waiting.png")
    store.images.delete(made.id, (gone.id,), "ana")
    store.jobs.enqueue(made.id, [waiting.id], RECIPE, JobRequest("ana"))
    store.saved_views.save(made.id, "A view", [("name", "a")], "ana")
    with_accounts.uploads.declare(made.id, UploadBatch("batch"), [NewUpload("key", "lost.png", 9)])
    with_accounts.uploads.cancel(made.id, "key")
    return store.projects.get(made.id)


def image_of(with_accounts: Services, project: Project) -> Image:
    return next(item for item in with_accounts.store.images.page(project.id).items if item.name == "a.png")


def addresses(with_accounts: Services, project: Project, person: str) -> dict[str, dict[str, str]]:
    """Every page that somebody may open, with the address that shows something on it."""
    about_access = {"people.py", "audit.py"}
    principal = with_accounts.access.by_name(person)
    params: dict[str, dict[str, str]] = {}
    for file, rule in PAGES.items():
        if file in about_access or not rule.admits(principal):
            continue
        named = {"image": image_of(with_accounts, project).id} if rule.subject is Subject.IMAGE else {}
        params[file] = {"project": project.id} | named
    return params


@pytest.mark.parametrize("person", VIEWERS)
def test_no_button_of_any_page_is_refused_to_who_may_only_look(
    with_accounts: Services, project: Project, monkeypatch: pytest.MonkeyPatch, person: str
) -> None:
    before, pressed = state(with_accounts, project), 0
    for file, params in addresses(with_accounts, project, person).items():
        for number in range(PRESSES):
            page = open_as(with_accounts, monkeypatch, person, file, **params)
            assert not page.exception, file
            enabled = [button for button in page.button if not button.disabled]
            if number == len(enabled):
                break
            label = enabled[number].label
            if label in OWN:
                continue
            enabled[number].click().run()
            assert not [text for text in REFUSALS if text in errors(page)], (file, label)
            pressed += 1
        else:
            pytest.fail(f"{file} has more buttons than are pressed")
    assert pressed > 5
    assert state(with_accounts, project) == before, "looking has changed something"


def state(with_accounts: Services, project: Project) -> tuple[object, ...]:
    """What those who may edit a project can change."""
    store = with_accounts.store
    images = store.images.page(project.id, limit=100).items
    shown = store.projects.get(project.id), store.saved_views.of_project(project.id), store.trash.items(9)
    return images, *shown, store.jobs.page(None).items, with_accounts.uploads.listed(project.id)


def errors(page: AppTest) -> str:
    return "\n".join(str(error.value) for error in page.error)


@pytest.mark.parametrize("person", VIEWERS)
def test_pages_of_a_project_say_once_that_one_may_only_look(
    with_accounts: Services, project: Project, monkeypatch: pytest.MonkeyPatch, person: str
) -> None:
    for file, params in addresses(with_accounts, project, person).items():
        page = open_as(with_accounts, monkeypatch, person, file, **params)
        if PAGES[file].subject is not Subject.NONE:
            assert texts(page).count("not change it") == 1, file
    for file in ("queue.py", "trash.py"):
        assert "a project that you may edit" in texts(open_as(with_accounts, monkeypatch, person, file)), file


def test_nothing_is_said_to_who_may_edit(
    with_accounts: Services, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, params in addresses(with_accounts, project, "ana").items():
        shown = texts(open_as(with_accounts, monkeypatch, "ana", file, **params))
        assert "not change it" not in shown, file
        assert "a project that you may edit" not in shown, file


def test_parts_with_scripts_of_their_own_offer_nothing_either(
    with_accounts: Services, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[Any] = []
    zones: list[object] = []
    monkeypatch.setattr(viewer, "_chosen", lambda chosen: options.append(chosen) or {})
    monkeypatch.setattr(uploads, "_ZONE", lambda **given: zones.append(given))
    for person, may in (("eve", False), ("ana", True)):
        options.clear()
        zones.clear()
        open_as(
            with_accounts,
            monkeypatch,
            person,
            "image.py",
            project=project.id,
            image=image_of(with_accounts, project).id,
        )
        assert [item.can_calibrate for item in options] == [may]
        assert [item.editor is not None for item in options] == [may]
        open_as(with_accounts, monkeypatch, person, "images.py", project=project.id)
        assert bool(zones) is may


def test_selected_rows_bring_no_buttons_that_change_them(
    with_accounts: Services, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticked = grids.GridAnswer(selected=with_accounts.store.images.ids(project.id))
    monkeypatch.setattr(grids, "_answer", lambda *_: ticked)
    labels = {}
    for person in ("ana", "eve"):
        page = open_as(with_accounts, monkeypatch, person, "images.py", project=project.id)
        labels[person] = {button.label for button in page.button if not button.disabled}
    assert {"Segment", "Pixel size", "Delete", "Export"} <= labels["ana"]
    assert labels["eve"] & {"Segment", "Pixel size", "Delete", "Export"} == {"Export"}
