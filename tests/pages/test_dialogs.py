"""Dialogs opened by themselves: AppTest runs whole scripts, and a dialog lives between two of them."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.models import JobState, Project
from core.services import Services
from core.ui import dialogs
from tests.pages.conftest import texts


def _new_project() -> None:
    from core.services import get_services
    from core.ui import dialogs

    dialogs.new_project(get_services())


def _rename_project(project_id: str) -> None:
    from core.services import get_services
    from core.ui import dialogs

    services = get_services()
    dialogs.rename_project(services, services.store.projects.get(project_id))


def _delete_project(project_id: str) -> None:
    from contextlib import suppress

    from core.errors import NotFound
    from core.services import get_services
    from core.ui import dialogs, feedback

    services = get_services()
    feedback.show_undo()
    with suppress(NotFound):
        dialogs.delete_project(services, services.store.projects.get(project_id))


def _delete_images(project_id: str) -> None:
    from core.services import get_services
    from core.ui import dialogs, feedback

    services = get_services()
    project = services.store.projects.get(project_id)
    feedback.show_undo()
    dialogs.delete_images(services, project, services.store.images.ids(project_id)[:2])


def _segment(project_id: str) -> None:
    from core.services import get_services
    from core.ui import segment_dialogs

    services = get_services()
    project = services.store.projects.get(project_id)
    if services.store.jobs.totals().left == 0:  # the script runs once more when images have been queued
        segment_dialogs.segment(services, project, services.store.images.ids(project_id))


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_project_is_created_with_its_pixel_size_and_opened(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(dialogs, "go", opened.append)
    app = AppTest.from_function(_new_project).run()
    app.text_input[0].set_value("  Melanoma   2026 ")
    app.number_input[0].set_value(1.36)
    press(app, "Create")
    (made,) = services.store.projects.list()
    assert (made.name, made.um_per_px) == ("Melanoma 2026", 1.36)
    assert opened == ["images.py"]
    assert app.session_state["project next"] == made.id


def test_a_name_that_is_taken_is_refused_in_words(services: Services) -> None:
    services.create_project("Plate")
    app = AppTest.from_function(_new_project).run()
    app.text_input[0].set_value("plate")
    press(app, "Create")
    assert "already a project named" in app.error[0].value
    assert len(services.store.projects.list()) == 1


def test_a_project_needs_a_name(services: Services) -> None:
    app = AppTest.from_function(_new_project).run()
    press(app, "Create")
    assert app.error[0].value == "Give the project a name."


def test_project_is_renamed(plate: Project, services: Services) -> None:
    app = AppTest.from_function(_rename_project, args=(plate.id,)).run()
    app.text_input[0].set_value("Plate 2")
    press(app, "Rename")
    assert [project.name for project in services.store.projects.list()] == ["Plate 2"]


def test_deleting_a_project_names_what_goes_and_can_be_undone(plate: Project, services: Services) -> None:
    app = AppTest.from_function(_delete_project, args=(plate.id,)).run()
    assert "“Plate 1” with its 3 images and all their results" in texts(app)
    press(app, "Delete project")
    assert services.store.projects.list() == ()
    press(app, "Undo")
    assert [project.n_images for project in services.store.projects.list()] == [3]


def test_deleting_images_names_what_goes_and_can_be_undone(plate: Project, services: Services) -> None:
    app = AppTest.from_function(_delete_images, args=(plate.id,)).run()
    assert "Delete 2 images and their results?" in texts(app)
    press(app, "Delete 2 images")
    assert services.store.projects.get(plate.id).n_images == 1
    press(app, "Undo")
    assert services.store.projects.get(plate.id).n_images == 3


@pytest.mark.parametrize(("choice", "expected"), [("keep", "classical"), ("override", "unet")])
def test_own_settings_are_kept_or_taken_back_as_one_says(
    plate: Project, services: Services, choice: str, expected: str
) -> None:
    services.queue.drain(5)  # so that they keep waiting
    ids = services.store.images.ids(plate.id)
    services.requests.accept(plate, ids[:1], services.recipe_of("classical", {}))
    services.store.jobs.cancel()
    app = AppTest.from_function(_segment, args=(plate.id,), default_timeout=60).run()
    assert app.radio(key="own-settings").value == "keep"
    app.radio(key="own-settings").set_value(choice).run()
    press(app, "Segment 3 images")
    engines = {job.image_id: job.engine for job in services.store.jobs.page(JobState.QUEUED).items}
    assert engines == {ids[0]: expected, ids[1]: "unet", ids[2]: "unet"}
    assert (services.store.images.get(ids[0]).own_engine is None) == (choice == "override")
