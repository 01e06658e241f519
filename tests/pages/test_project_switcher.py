"""Which project a page is about: by its id or its name in the address, else the one that is meant."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st

from core.services import Services
from core.ui import project_switcher
from tests.pages.conftest import Open, texts


def test_without_any_project_the_page_sends_to_projects(open_page: Open) -> None:
    page = open_page("images.py")
    assert not page.exception
    assert "There is no project yet" in texts(page)
    assert [button.label for button in page.button] == ["Go to projects"]


def test_the_only_project_is_the_one_that_is_meant(open_page: Open, services: Services) -> None:
    project = services.create_project("Only")
    page = open_page("images.py")
    assert page.title[0].value == "Only"
    assert page.query_params["project"] in (project.id, [project.id])


def test_several_projects_are_offered_where_none_is_chosen(open_page: Open, services: Services) -> None:
    first, second = services.create_project("First"), services.create_project("Second")
    page = open_page("measurements.py")
    assert "Which project?" in texts(page)
    assert [button.label for button in page.button] == ["Second", "First"]
    page.button(key=f"choose-{first.id}").click().run()
    assert page.title[0].value == "First: measurements"
    page = open_page("images.py", project=second.id)
    assert page.title[0].value == "Second"


def test_many_projects_are_not_all_offered(open_page: Open, services: Services) -> None:
    for number in range(project_switcher.MAX_OFFERED + 1):
        services.create_project(f"Plate {number}")
    labels = [button.label for button in open_page("images.py").button]
    assert (len(labels), labels[-1]) == (project_switcher.MAX_OFFERED + 1, "All projects")


def test_the_address_names_a_project_by_its_id_or_its_name(open_page: Open, services: Services) -> None:
    project = services.create_project("Plate 1")
    services.create_project("Plate 2")
    for reference in (project.id, "Plate 1", "plate 1"):
        assert open_page("images.py", project=reference).title[0].value == "Plate 1"


def test_an_id_wins_over_a_name_that_looks_like_it(open_page: Open, services: Services) -> None:
    project = services.create_project("Plate 1")
    services.create_project(project.id)
    assert open_page("images.py", project=project.id).title[0].value == "Plate 1"


def test_a_project_that_is_not_there_is_said_so(open_page: Open, services: Services) -> None:
    services.create_project("Plate")
    page = open_page("images.py", project="<b>gone</b>")
    assert not page.exception
    assert "There is no such project" in texts(page)
    assert "“<b>gone</b>” in the address" in texts(page)
    assert [button.label for button in page.button] == ["Plate"]


def test_the_switcher_changes_the_address_and_can_be_emptied(open_page: Open, services: Services) -> None:
    services.create_project("First")
    second = services.create_project("Second")
    page = open_page("images.py", project="First")
    page.sidebar.selectbox[0].select(second.id).run()
    assert page.title[0].value == "Second"
    assert page.query_params["project"] in (second.id, [second.id])
    page.sidebar.selectbox[0].select(None).run()
    assert "Which project?" in texts(page)


def test_the_browser_knows_the_project_used_last(
    open_page: Open, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.create_project("First")
    services.create_project("Second")
    context = SimpleNamespace(cookies={project_switcher.COOKIE: "First"}, timezone=None)
    monkeypatch.setattr(st, "context", context)
    assert open_page("images.py").title[0].value == "First"
