"""Descriptions of columns: what follows from them; they contradict neither each other nor the docs."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter, itemgetter
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.listing import columns_doc, image_table, object_table
from core.listing.columns import CellReader, Column, Shown, in_units, with_twins
from core.listing.image_columns import IMAGE_COLUMNS
from core.listing.object_columns import OBJECT_COLUMNS
from core.models import Dimension, Image, ImageRow

ROOT = Path(__file__).resolve().parents[2]
TABLES = pytest.mark.parametrize("columns", [IMAGE_COLUMNS, OBJECT_COLUMNS], ids=["images", "spheroids"])
WIDE = Column(
    "wide_px", "Width", "How wide", unit="px", dimension=Dimension.AREA, filter="wide_px", export="w"
)


def test_a_size_has_a_twin_in_micrometres() -> None:
    twin = WIDE.in_um
    assert twin is not None
    assert (twin.name, twin.filter, twin.export, twin.unit) == ("wide_um2", "wide_um2", "w_um2", "µm²")
    assert twin.sql == "(wide_px * um_per_px * um_per_px)"
    assert (twin.label, WIDE.label) == ("Width, µm²", "Width, px")
    assert [column.name for column in in_units([WIDE], calibrated=False)] == ["wide_px"]
    assert list(in_units([WIDE], calibrated=True)) == [twin]


@pytest.mark.parametrize(("size", "expected"), [(None, None), (0.5, 2.0)])
def test_a_reader_computes_twins(size: float | None, expected: float | None) -> None:
    columns = {str(column.export): column for column in with_twins([WIDE])}
    row = {"wide_px": 8, "um_per_px": size}
    assert CellReader(columns, itemgetter)(row) == {"w": 8, "w_um2": expected}
    assert CellReader(columns, attrgetter)(SimpleNamespace(**row)) == {"w": 8, "w_um2": expected}


def test_a_reader_of_one_column_reads_it() -> None:
    assert CellReader({"a": Column("b", "B", "The only one")})({"b": 3}) == {"a": 3}


@TABLES
@pytest.mark.parametrize("kind", ["name", "sort", "filter", "export"])
def test_names_are_given_once(columns: tuple[Column, ...], kind: str) -> None:
    names = [name for column in with_twins(columns) if (name := getattr(column, kind))]
    assert len(names) == len(set(names))


@TABLES
def test_what_is_on_screen_is_in_the_api_and_described(columns: tuple[Column, ...]) -> None:
    for column in columns:
        assert column.title, column.name
        assert column.description, column.name
        assert column.shown is Shown.NEVER or column.api, column.name
        assert column.listed or not (column.sort or column.filter), column.name


def test_rows_of_images_have_the_listed_columns() -> None:
    names = {column.name for column in image_table.LISTED}
    assert {field.name for field in fields(ImageRow)} == names
    assert image_table.row_type(ImageRow) is ImageRow
    assert image_table.row_type(Image) is Image


def test_sorts_put_micrometres_before_pixels() -> None:
    assert image_table.SORTS["diameter"] == ("largest_diameter_um", "largest_diameter_px")
    assert image_table.SORTS["name"] == ("name_key",)
    assert object_table.SORTS["name"] == "lower(image.name)"
    assert object_table.SORTS["area_um2"] == "(object.area * um_per_px * um_per_px)"


def test_the_docs_have_the_columns() -> None:
    page = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    assert page == columns_doc.document(), "python -m core.listing.columns_doc > docs/columns.md"
