"""The documentation as the Help page shows it: whole, linked within the app, with pictures that are there."""

from __future__ import annotations

import re

import pytest

from core.models import MEASUREMENTS, glossary
from core.models.quality import LOOK_BELOW
from core.ui import handbook
from core.ui.components.grid_columns import image_columns, object_columns

PICTURES = handbook.DOCS / "pictures"


def test_the_tutorial_comes_first_and_decisions_last() -> None:
    names = list(handbook.titles())
    assert names[:2] == ["tutorial", "glossary"]
    assert names[-1].startswith("decisions/")
    assert {"columns", "http_api", "settings"} < set(names)


def test_pictures_stand_between_pieces_of_text() -> None:
    text = "# A\n\none\n\n![the table](pictures/a.webp)\n\ntwo [b](c.md#d) [e](../f.md) [g](https://h/i.md)\n"
    first, picture, last = handbook.parts(text, "decisions/0001-a")
    assert picture == ("picture", "pictures/a.webp", "the table")
    assert (first[0], first[1].strip()) == ("text", "# A\n\none")
    assert "(help?document=decisions/c)" in last[1]
    assert "(help?document=f)" in last[1]
    assert "(https://h/i.md)" in last[1]


@pytest.mark.parametrize("name", list(handbook.titles()))
def test_every_picture_and_document_that_is_named_is_there(name: str) -> None:
    folder = (handbook.DOCS / f"{name}.md").parent
    known = set(handbook.titles())
    for kind, value, _ in handbook.parts((handbook.DOCS / f"{name}.md").read_text(encoding="utf-8"), name):
        if kind == "picture":
            assert (folder / value).is_file(), value
        else:
            assert set(re.findall(r"\(help\?document=([^)]+)\)", value)) <= known


def test_pictures_are_all_used_and_small() -> None:
    text = (handbook.DOCS / "tutorial.md").read_text(encoding="utf-8")
    files = list(PICTURES.iterdir())
    assert {f"pictures/{path.name}" for path in files} == set(re.findall(r"\]\((pictures/[^)]+)\)", text))
    assert sum(path.stat().st_size for path in files) < 2**20


def test_the_glossary_is_written_down_and_explains_every_measurement() -> None:
    page = (handbook.DOCS / "glossary.md").read_text(encoding="utf-8")
    assert page == glossary.document(), "python -m core.models.glossary > docs/glossary.md"
    for name in ("confidence", "look_at_this"):
        assert f"below {LOOK_BELOW:g}" in glossary.GLOSSARY[name][1]
    assert f"confidence below {LOOK_BELOW:g} (" in (handbook.DOCS / "review.md").read_text(encoding="utf-8")
    positions = ("centroid_", "bbox_")  # whose titles say all
    unexplained = {item.name for item in MEASUREMENTS} - set(glossary.GLOSSARY)
    assert all(name.startswith(positions) for name in unexplained)


def test_headings_of_tables_explain_their_words() -> None:
    tooltips = {
        column.get("field"): column.get("headerTooltip", "")
        for column in (*image_columns(), *object_columns(calibrated=True))
    }
    assert tooltips["solidity"].startswith("1 for a body without dents")
    assert "A / convex area" in tooltips["solidity"], "the formula stays"
    assert tooltips["area_um2"].startswith("The surface inside the outline")
    assert tooltips["confidence"].startswith("How well the outline is expected to agree")
