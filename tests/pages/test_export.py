"""The export dialog: formats are chosen, progress is seen, the archive is taken, errors are words."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.export import Export, ExportState
from core.models import Project
from core.services import Services
from core.ui.components import grid
from tests.pages.conftest import Open, texts
from tests.pages.test_dialogs import press
from tests.polling import wait_until


def _dialog(project_id: str) -> None:
    from core.services import get_services
    from core.ui import export_panel

    services = get_services()
    project = services.store.projects.get(project_id)
    export_panel.dialog(services, project, None, "all images of the project")


def _archives(project_id: str) -> None:
    from core.services import get_services
    from core.ui import export_panel

    services = get_services()
    export_panel.list_exports(services, services.store.projects.get(project_id))


def shown(script: object, project: Project) -> AppTest:
    app = AppTest.from_function(script, args=(project.id,), default_timeout=60).run()  # type: ignore[arg-type]
    assert not app.exception
    return app


def made(services: Services, project: Project) -> Export:
    wait_until(lambda: not any(export.open for export in services.exports.of_project(project.id)), 60)
    return services.exports.of_project(project.id)[0]


def test_formats_are_chosen_and_the_archive_is_taken(plate: Project, services: Services) -> None:
    app = shown(_dialog, plate)
    assert "**3 images** · all images of the project" in texts(app)
    app.checkbox(key="export-rois").check().run()
    press(app, "Make the archive")
    export = made(services, plate)
    assert export.state is ExportState.READY
    assert {part.value for part in export.parts} == {"csv", "xlsx", "masks", "rois"}
    app = shown(_archives, plate)
    assert app.get("link_button")[0].proto.url == f"/downloads/exports/{export.id}.zip"
    assert "Archives are kept for 24 hours" in texts(app)
    press(app, "Delete")
    assert services.exports.of_project(plate.id) == ()


def test_without_a_format_there_is_nothing_to_make(plate: Project) -> None:
    app = shown(_dialog, plate)
    for box in app.checkbox:
        box.uncheck()
    app.run()
    assert next(button for button in app.button if button.label == "Make the archive").disabled


def test_what_was_left_out_is_said(plate: Project, services: Services) -> None:
    image = services.store.images.page(plate.id).items[0]
    services.blobs.path(services.store.images.get(image.id).sha256).unlink()
    app = shown(_dialog, plate)
    app.checkbox(key="export-originals").check().run()
    press(app, "Make the archive")
    assert made(services, plate).problems == 1
    assert "1 file could not be included" in shown(_archives, plate).warning[0].value


def test_a_refusal_is_shown_in_words(services: Services) -> None:
    app = shown(_dialog, services.create_project("Empty"))
    press(app, "Make the archive")
    assert "nothing to export" in app.error[0].value


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("day1", "**1 image** · name contains “day1”"), ("", "**3 images** · all images of the project")],
)
def test_the_page_exports_what_it_shows(open_page: Open, plate: Project, name: str, sentence: str) -> None:
    page = open_page("images.py", project=plate.name)
    page.text_input(key="name").set_value(name).run()
    press(page, "Export")
    assert sentence in texts(page)


def test_the_page_exports_what_is_selected(
    open_page: Open, plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = services.store.images.ids(plate.id)[:2]
    monkeypatch.setattr(grid, "AgGrid", lambda *_, **__: {"selected": list(chosen)})
    page = open_page("images.py", project=plate.name)
    press(page, "Export")
    assert "**2 images** · selected by hand" in texts(page)
