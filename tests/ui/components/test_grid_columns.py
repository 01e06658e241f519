"""Columns of the tables of projects and jobs are fields of their lists, sorted by what the lists know."""

from __future__ import annotations

import pytest

from core.http.ordered import PROJECT_KEYS
from core.http.schemas.rows import JOB_FIELDS, PROJECT_FIELDS
from core.store.job_order import SORTS
from core.ui.components.grid_columns import JOB_COLUMNS, PROJECT_COLUMNS, ColumnDef


@pytest.mark.parametrize(
    ("columns", "fields", "sorts"),
    [
        pytest.param(PROJECT_COLUMNS, PROJECT_FIELDS, PROJECT_KEYS, id="projects"),
        *(pytest.param(columns, JOB_FIELDS, SORTS, id=state) for state, columns in JOB_COLUMNS.items()),
    ],
)
def test_a_column_is_a_field_of_its_list_and_sorted_by_what_the_list_knows(
    columns: tuple[ColumnDef, ...], fields: tuple[str, ...], sorts: dict[str, object]
) -> None:
    assert {column["field"].partition(".")[0] for column in columns} <= set(fields)
    sortable = [column for column in columns if column.get("sortable", True)]
    assert {column.get("colId", column["field"]) for column in sortable} <= set(sorts)
