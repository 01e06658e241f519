from __future__ import annotations

import json
from typing import Any

import pytest
import streamlit as st

from core.ui.components import grid, grid_columns, grid_scripts

# The table brings pandas with it, whose import takes a second.
pytestmark = pytest.mark.slow

COLUMNS = grid_columns.image_columns()


class Component:
    """Stands where the component does: keeps what it was given, answers what a browser would have said."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}
        self.says: dict[str, Any] = {}

    def __call__(self, _rows: object, **given: Any) -> dict[str, Any]:
        self.given = given
        return self.says


@pytest.fixture
def component(monkeypatch: pytest.MonkeyPatch) -> Component:
    made = Component()
    monkeypatch.setattr(grid, "AgGrid", made)
    monkeypatch.setattr(st, "session_state", {})
    return made


def draw(**filters: str) -> grid.GridAnswer:
    return grid.grid("/api/x", "images", COLUMNS, "images-1", filters=filters)


def test_nothing_that_is_typed_can_become_javascript(component: Component) -> None:
    draw(name="::JSCODE::alert(1)::JSCODE::", status="")
    given = component.given["gridOptions"]["context"]
    assert given["query"] == "name=%3A%3AJSCODE%3A%3Aalert%281%29%3A%3AJSCODE%3A%3A"
    assert "JSCODE::" not in json.dumps(given)


def test_the_columns_are_not_written_into(component: Component) -> None:
    draw()
    given = component.given["gridOptions"]["columnDefs"]
    assert [column.get("colId") for column in given] == [column.get("colId") for column in COLUMNS]
    assert not {id(column) for column in given} & {id(column) for column in COLUMNS}


def test_what_was_selected_under_another_filter_is_not_selected(component: Component) -> None:
    component.says = {"query": "name=a", "selected": ["1"], "everything": True, "deselected": ["2"]}
    assert draw(name="a") == grid.GridAnswer(("1",), True, ("2",))
    assert draw(name="b") == grid.GridAnswer()


def test_a_header_is_asked_once_although_the_component_repeats_itself(component: Component) -> None:
    component.says = {"query": "", "header_filter": "name=a", "at": 1}
    assert (draw().header_filter, draw().header_filter) == ("name=a", None)
    component.says["at"] = 2
    assert draw().header_filter == "name=a"


def test_javascript_arrives_as_one_line_without_comments() -> None:
    for code in (
        grid_scripts.READY,
        grid_scripts.GET_ROWS,
        grid_scripts.SELECT_ALL,
        grid_scripts.ANSWER,
        grid_scripts.SHOULD_ANSWER,
    ):
        text = code.js_code.removeprefix("::JSCODE::").removesuffix("::JSCODE::")
        assert "::JSCODE::" not in text
        assert "//" not in text
        assert "\n" not in text
