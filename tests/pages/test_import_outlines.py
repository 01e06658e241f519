"""Import outlines: files that are chosen in the dialog, and a row for what became of each."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.accounts import Level, Role
from core.models import Project
from core.services import Services
from core.ui.import_panel import NOTHING_OUTLINED
from tests.corrections.conftest import RECIPE
from tests.http.lab import Lab, disc
from tests.pages.conftest import Open, open_as, texts

BUTTON = "import-outlines"


@pytest.fixture
def project(services: Services) -> Project:
    """A project with the images a.png and b.png, each with one spheroid."""
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    made = lab.project()
    for name in ("a.png", "b.png"):
        lab.measured(lab.image(made, name), disc(), recipe=RECIPE)
    return services.store.projects.get(made.id)


def import_outlines() -> None:
    """The script of a page that is this dialog alone."""
    import streamlit as st

    from core.services import get_services
    from core.ui import import_panel

    services = get_services()
    import_panel.dialog(services, services.store.projects.get(st.query_params["project"]))


def dialog_of(project: Project) -> AppTest:
    app = AppTest.from_function(import_outlines, default_timeout=60)
    app.query_params["project"] = project.id
    return app.run()


def mask(services: Services, project: Project, *boxes: slice) -> bytes:
    """A label mask of the project's images: a square at each of some spans of rows and columns."""
    image = services.store.images.get(services.store.images.ids(project.id)[0])
    labels = np.zeros((image.height, image.width), np.uint8)
    for number, box in enumerate(boxes, start=1):
        labels[box, box] = number
    return bytes(cv2.imencode(".png", labels)[1])


def test_every_file_has_a_row_and_bad_ones_take_nothing_from_the_others(
    services: Services, project: Project
) -> None:
    app = dialog_of(project)
    assert app.button[0].disabled
    stray = {"images": [], "annotations": [{"image_id": 3, "segmentation": [[1, 1, 5, 1, 5, 5]]}]}
    app.file_uploader[0].set_value(
        [
            ("a_masks.png", mask(services, project, slice(2, 9), slice(20, 30)), "image/png"),
            ("b.png", mask(services, project), "image/png"),
            ("c.png", mask(services, project), "image/png"),
            ("broken.zip", b"PK", "application/zip"),
            ("a.json", b"{}", "application/json"),
            ("stray.json", json.dumps(stray).encode(), "application/json"),
        ]
    ).run()
    assert app.button[0].label == "Import 6 files"
    app.button[0].click().run()
    assert not app.exception
    shown = app.dataframe[0].value
    results = dict(zip(shown["Outlines of"], shown["Result"], strict=True))
    assert results.pop("a_masks.png") == "● imported", list(shown["Details"])
    assert results.pop("b.png") == NOTHING_OUTLINED
    assert set(results.values()) == {"✕ not imported"}
    assert set(results) == {"c.png", "broken.zip", "a.json", "stray.json"}
    assert all(shown["Details"][shown["Result"] == "✕ not imported"])
    assert "1 imported, 1 imported empty, 4 not imported" in texts(app)
    assert app.button[0].disabled, "the files are not imported again by another click"
    counts = {image.name: image.n_objects for image in services.store.images.page(project.id).items}
    assert counts == {"a.png": 2, "b.png": 0}


def test_an_import_that_was_broken_off_names_the_files_that_are_missing(
    services: Services, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = dialog_of(project)
    app.file_uploader[0].set_value(
        [
            ("a.png", mask(services, project, slice(2, 9)), "image/png"),
            ("b.png", mask(services, project), "image/png"),
        ]
    ).run()

    done = services.imports.add

    def add(_: object, project_id: str, name: str, *rest: object) -> object:
        if name == "b.png":
            st.stop()  # as Streamlit stops a script whose dialog is closed
        return done(project_id, name, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(type(services.imports), "add", add)
        app.button[0].click().run()
    app.run()
    assert "b\\.png" in app.warning[0].value
    assert "a\\.png" not in app.warning[0].value
    assert list(app.dataframe[0].value["Outlines of"]) == ["a.png"]


def test_the_page_offers_it_to_those_who_may_edit(open_page: Open, project: Project) -> None:
    assert open_page("images.py", project=project.name).button(key=BUTTON).label == "Import outlines"


def test_who_may_only_look_is_not_offered_it(
    with_accounts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, lab = with_accounts.access, Lab(with_accounts.store, with_accounts.blobs)
    project = lab.project()
    lab.image(project, "a.png")
    for name, level in (("ana", Level.EDIT), ("max", Level.VIEW)):
        access.members.set_level(project.id, access.accounts.create(name, Role.MEMBER).id, level)
    offered = [
        any(button.key == BUTTON for button in page.button)
        for name in ("ana", "max")
        for page in [open_as(with_accounts, monkeypatch, name, "images.py", project=project.name)]
    ]
    assert offered == [True, False]
