from __future__ import annotations

from core.models import Project
from core.services import Services
from tests.pages.conftest import Open, texts


def test_empty_page_says_what_to_do_next(open_page: Open) -> None:
    page = open_page()
    assert not page.exception
    assert "every spheroid is outlined and measured" in texts(page)
    assert [button.label for button in page.button] == ["New project", "Load demo plate"]


def test_card_tells_how_many_images_stand_where(open_page: Open, plate: Project) -> None:
    page = open_page()
    assert not page.exception
    assert plate.name in texts(page)
    assert "3 images: 3 done" in texts(page)


def test_each_project_offers_renaming_and_deleting(open_page: Open, plate: Project) -> None:
    page = open_page()
    page.button(key=f"delete-{plate.id}").click().run()
    assert "with its 3 images and all their results" in texts(page)
    page.button(key=f"rename-{plate.id}").click().run()
    assert page.text_input[-1].value == plate.name


def test_a_deleted_project_can_be_brought_back(open_page: Open, plate: Project, services: Services) -> None:
    page = open_page()
    services.store.projects.delete(plate.id)
    page.session_state["undo offer"] = ("It was deleted.", lambda: services.store.projects.restore(plate.id))
    page.run()
    page.button(key="undo").click().run()
    assert [project.n_images for project in services.store.projects.list()] == [3]
