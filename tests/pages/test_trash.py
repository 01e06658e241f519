from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from core.models import Project
from core.services import Services
from tests.pages.conftest import Open, texts


def test_an_empty_trash_says_so(open_page: Open, plate: Project) -> None:
    page = open_page("trash.py")
    assert not page.exception
    assert "Nothing was deleted." in texts(page)


def test_the_trash_names_what_when_by_whom_and_until_when(
    open_page: Open, plate: Project, services: Services
) -> None:
    image = services.store.images.page(plate.id, sort="name").items[0]
    services.store.images.delete(plate.id, [image.id], "Ada")
    page = open_page("trash.py")
    assert not page.exception
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["What"], row["Name"], row["Project"], row["By"]) == ("image", image.name, "Plate 1", "Ada")
    assert (row["Can be restored until"] - row["Deleted"]).days == services.settings.undo_days
    page.text_input(key="deleted").set_value("no such name").run()
    assert "Nothing here has “no such name” in its name." in texts(page)


def test_ticked_rows_are_restored(
    open_page: Open, plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = services.store.images.ids(plate.id)
    services.store.images.delete(plate.id, ids[:2])
    ticked: list[int] = [0, 1]
    draw = st.dataframe

    def with_ticks(*args: Any, **options: Any) -> Any:
        draw(*args, **options)
        return {"selection": {"rows": ticked}}

    monkeypatch.setattr(st, "dataframe", with_ticks)
    page = open_page("trash.py")
    next(button for button in page.button if button.label == "Restore 2").click().run()
    assert not page.exception
    assert services.store.projects.get(plate.id).n_images == 3
    assert "Nothing was deleted." in texts(page)


def test_the_message_after_deleting_leads_to_the_trash(
    open_page: Open, plate: Project, services: Services
) -> None:
    page = open_page()
    page.session_state["undo offer"] = ("1 image deleted.", lambda: None)
    page.run()
    assert {"Undo", "Trash", "Dismiss"} <= {button.label for button in page.button}
    page.button(key="undo-trash").click().run()
    assert not page.exception
    assert "Trash" in [title.value for title in page.title]
