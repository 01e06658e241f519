"""The Help page shows the project's documentation, pictures included."""

from __future__ import annotations

from tests.pages.conftest import Open, texts


def test_help_begins_with_the_tutorial_and_its_pictures(open_page: Open) -> None:
    page = open_page("help.py")
    assert not page.exception
    assert "From images to a table in ten minutes" in texts(page)
    assert len(page.get("image")) == 7


def test_a_link_leads_to_a_document(open_page: Open) -> None:
    page = open_page("help.py")
    page.selectbox[-1].set_value("glossary").run()
    assert not page.exception
    assert "What the words of tables and figures mean" in texts(page)
    assert page.query_params["document"] == "glossary"
