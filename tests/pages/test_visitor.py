"""Who looks at a page: by account, by login, by a proxy's header, else the page; and what they see of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.accounts import Level, Role
from core.errors import InvalidRequest, NotAllowed
from core.models import Project
from core.monitoring import Kind
from core.services import CALLER_HEADER, Services, get_services
from core.store.recipe import MAX_REQUESTER_NAME
from core.ui import visitor
from tests import corpus
from tests.pages.conftest import Open, open_as, texts

ADA = "ada@example.org"


@pytest.fixture
def seen(services: Services, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask with a login and headers as given: who it is then."""

    def asks(user: dict[str, str], headers: dict[str, str], header: str = "") -> str | None:
        monkeypatch.setattr(st, "user", SimpleNamespace(to_dict=lambda: user))
        monkeypatch.setattr(st, "context", SimpleNamespace(headers=headers, timezone=None))
        changed = replace(services, settings=replace(services.settings, user_header=header))
        return visitor.job_request(changed).requested_by

    return asks


def test_a_login_is_known_before_a_header(seen: Any) -> None:
    header = {"X-Forwarded-User": "bob"}
    assert seen({"email": ADA, "name": "Ada"}, header, "X-Forwarded-User") == ADA
    assert seen({"name": "Ada"}, header, "X-Forwarded-User") == "Ada"
    assert seen({}, header, "X-Forwarded-User") == "bob"


def test_a_header_is_not_believed_unless_it_is_set_up(seen: Any) -> None:
    assert seen({}, {"X-Forwarded-User": "bob"}) == "not signed in"
    assert seen({}, {}, "X-Forwarded-User") == "not signed in"


def test_a_name_is_one_short_line(seen: Any) -> None:
    assert seen({"name": "A\u202e\n da"}, {}) == "A da"
    assert seen({"name": "a" * 1000}, {}) == "a" * MAX_REQUESTER_NAME
    assert seen({"name": " \n"}, {}) == "not signed in"


def test_what_a_page_queues_says_who_asked(open_page: Open, services: Services) -> None:
    services.queue.drain(5)
    project = services.create_project("Plate")
    services.ingest.add(project.id, "a.png", corpus.png(corpus.noise()), None)
    page = open_page("images.py", project=project.id)
    next(button for button in page.button if button.label == "Segment").click().run()
    (job,) = services.store.jobs.page(None).items
    assert job.requested_by == "test@example.com"


def test_metrics_know_nobody(open_page: Open, plate: Project, services: Services) -> None:
    page = open_page("images.py", project=plate.id)
    next(button for button in page.button if button.label == "Segment").click().run()
    names = [record.name for kind in Kind for record in services.recorder.latest(kind)]
    assert names
    assert not [name for name in names if "example.com" in name]


def test_a_page_shows_only_what_is_ones_own(with_accounts: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    access, store = with_accounts.access, with_accounts.store
    boss, ana = (
        access.accounts.create(name, role) for name, role in (("boss", Role.ADMIN), ("ana", Role.MEMBER))
    )
    hers, his = (
        store.projects.create(f"Project of {owner.name}", "unet", owner=owner.id) for owner in (ana, boss)
    )
    assert access.members.of_account(ana.id) == {hers.id: Level.OWN}
    shown = texts(open_as(with_accounts, monkeypatch, "ana"))
    assert "Project of ana" in shown
    assert "Project of boss" not in shown
    other = open_as(with_accounts, monkeypatch, "ana", "images.py", project=his.id)
    assert "There is no such project" in texts(other)
    everything = texts(open_as(with_accounts, monkeypatch, "boss"))
    assert "Project of ana" in everything
    assert "Project of boss" in everything


def test_a_visitor_who_is_not_signed_in_sees_no_page(
    with_accounts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_accounts.store.projects.create("Secret plate", "unet")
    app = open_as(with_accounts, monkeypatch, "nobody")
    assert [error.value for error in app.error] == [
        "Your session has ended. Load this page again to sign in."
    ]
    assert "Secret plate" not in texts(app)


def test_a_project_that_somebody_makes_is_theirs(
    with_accounts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = with_accounts.access
    ana, eve = access.accounts.create("ana", Role.MEMBER), access.accounts.create("eve", Role.VIEWER)
    for account, made in ((ana, 1), (eve, 0)):
        headers = {CALLER_HEADER: f"account:{account.id}"}
        context = SimpleNamespace(headers=headers, ip_address="", cookies={}, timezone=None)
        monkeypatch.setattr(st, "context", context)
        services = get_services()
        if made:
            project = services.create_project("Plate")
            assert access.members.of_account(account.id) == {project.id: Level.OWN}
        else:
            with pytest.raises(NotAllowed, match="another role"):
                services.create_project("Another plate")
    assert [row.action for row in access.audit.page(5)] == ["created"]


def button(app: AppTest, label: str) -> Any:
    return next(item for item in app.button if item.label == label)


def test_an_admin_adds_somebody_and_gets_their_link(
    with_accounts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_accounts.access.accounts.create("boss", Role.ADMIN)
    page = open_as(with_accounts, monkeypatch, "boss", "people.py")
    next(item for item in page.text_input if item.label.startswith("Name, with")).input("Ana")
    button(page, "Add").click().run()
    assert not page.exception
    link = next(code.value for code in page.code if "/access/password/" in code.value)
    assert with_accounts.access.name_of_link(link.rpartition("/")[2]) == "Ana"
    button(page, "Done").click().run()
    assert not page.code
    assert with_accounts.access.audit.page(1)[0].subject == "Ana is a new member"


def test_pages_of_admins_are_not_there_for_others(
    with_accounts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_accounts.access.accounts.create("boss", Role.ADMIN)
    with_accounts.access.accounts.create("ana", Role.MEMBER)
    for file in ("people.py", "audit.py", "performance.py", "settings.py", "health.py"):
        with pytest.raises(ValueError, match="Could not find a navigation page"):
            open_as(with_accounts, monkeypatch, "ana", file)
        assert open_as(with_accounts, monkeypatch, "boss", file).title


def test_a_viewer_is_offered_nothing_that_they_may_not_do(
    with_accounts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, store = with_accounts.access, with_accounts.store
    eve = access.accounts.create("eve", Role.VIEWER)
    assert "Nothing has been shared with you yet" in texts(open_as(with_accounts, monkeypatch, "eve"))
    project = store.projects.create("Plate", "unet", owner=access.accounts.create("ana", Role.MEMBER).id)
    access.members.set_level(project.id, eve.id, Level.VIEW)
    labels = [item.label for item in open_as(with_accounts, monkeypatch, "eve").button]
    assert "Open" in labels
    assert not {"New project", "Load demo plate", "Share", "Rename", "Delete"} & set(labels)


def test_names_of_projects_that_one_does_not_see_are_free(with_accounts: Services) -> None:
    access, projects = with_accounts.access, with_accounts.store.projects
    ana, bo = (access.accounts.create(name, Role.MEMBER).id for name in ("ana", "bo"))
    secret = projects.create("Secret compound", "unet", owner=ana)
    other = projects.create("Secret compound", "unet", owner=bo)
    for owner in (ana, bo):
        with pytest.raises(InvalidRequest, match="already a project"):
            projects.create("secret COMPOUND", "unet", owner=owner)
    mine = projects.create("Mine", "unet", owner=bo)
    with pytest.raises(InvalidRequest, match="already a project"):
        projects.rename(mine.id, "Secret compound")
    assert secret.id != other.id


def test_a_token_is_shown_once(with_accounts: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    with_accounts.access.accounts.create("ana", Role.MEMBER)
    page = open_as(with_accounts, monkeypatch, "ana", "account.py")
    next(item for item in page.text_input if item.label.startswith("Name, such as")).input("plate reader")
    button(page, "Make the token").click().run()
    assert not page.exception
    token = page.code[0].value
    assert with_accounts.access.by_token(token)
    button(page, "Done").click().run()
    assert not page.code
    assert "plate reader" in texts(page)
    button(page, "Revoke").click().run()
    assert with_accounts.access.by_token(token) is None


def test_the_audit_is_filtered(with_accounts: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = with_accounts.access.accounts.create("boss", Role.ADMIN)
    principal = with_accounts.access.principal(f"account:{boss.id}")
    assert principal is not None
    for name in ("Plate 1", "Plate 2"):
        with_accounts.for_caller(principal).create_project(name)
    page = open_as(with_accounts, monkeypatch, "boss", "audit.py")
    assert page.dataframe[0].value["What"].to_list() == ["Plate 2", "Plate 1"]
    page.text_input(key="who").input("nobody").run()
    assert "Nothing yet." in texts(page)


def test_without_accounts_nothing_is_said_of_them(open_page: Open, services: Services) -> None:
    services.create_project("Plate")
    page = open_page()
    assert "Share" not in [item.label for item in page.button]
    assert "Sign out" not in str(page.sidebar)
