"""What is generated from ``image_columns``: select lists, sorts, filters, fields of the API, exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, make_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from core.listing.columns import Column, on_screen, with_twins
from core.listing.image_columns import IMAGE_COLUMNS
from core.models import ImageRow

T = TypeVar("T", bound=ImageRow)


def _sort_keys(column: Column) -> tuple[str, ...]:
    """Names of the listed columns that decide; sizes in µm first, so uncalibrated images come last."""
    if column.type is str:
        return (f"{column.name}_key",)
    twin = column.in_um
    return (column.name,) if twin is None else (twin.name, column.name)


def _listed_sql(column: Column) -> dict[str, str]:
    """Name and expression of what lists read for a column: itself, its µm twin, its text to compare."""
    expressions = {column.name: column.sql or column.name}
    if (twin := column.in_um) is not None:
        expressions[twin.name] = twin.sql
    if column.sort and column.type is str:
        expressions[f"{column.name}_key"] = f"lower({column.name})"
    return expressions


LISTED = tuple(column for column in IMAGE_COLUMNS if column.listed)
# What lists read of the table ``image``, and of which of those columns the values are words of a type there.
SELECT_LIST = ", ".join(f"{sql} AS {name}" for column in LISTED for name, sql in _listed_sql(column).items())
ENUMS: Mapping[str, type[StrEnum]] = {
    column.name: column.type
    for column in LISTED
    if isinstance(column.type, type) and issubclass(column.type, StrEnum)
}
# Names that lists are sorted by, with the listed columns that decide; the id decides last. Rows without a
# value come last whichever way the sort goes.
SORTS: Mapping[str, tuple[str, ...]] = {
    column.sort: _sort_keys(column) for column in on_screen(LISTED) if column.sort
}
SORT_TYPES: Mapping[str, Any] = {
    name: column.type for column in LISTED if column.sort for name in _sort_keys(column)
}
# Names that lists are narrowed by, with the listed column that is compared.
RANGES: Mapping[str, str] = {
    column.filter: column.name for column in on_screen(with_twins(LISTED)) if column.filter
}
# Columns that an image repeats of the version in force, because a join would be six times slower.
SUMMARY = tuple(column.name for column in LISTED if column.summary)
# The select list's columns of such types as small whole numbers, which take a byte a row in memory.
ENUM_CODES = ", ".join(f"enum_code({name}) AS {name}" for name in ENUMS)
# Those of RANGES whose bounds are times, in UTC without a zone.
TIMES = frozenset(column.filter for column in LISTED if column.filter and column.type is datetime)
API = tuple(column for column in with_twins(IMAGE_COLUMNS) if column.api)
EXPORTED: Mapping[str, Column] = {
    column.export: column for column in with_twins(IMAGE_COLUMNS) if column.export
}


@cache
def row_type(model: type[T]) -> type[T]:
    """``model``, with a field for each listed column that it does not have by itself."""
    known = {field.name for field in fields(model)}
    lacking = [(column.name, column.annotation, None) for column in LISTED if column.name not in known]
    if not lacking:
        return model
    return make_dataclass(model.__name__, lacking, bases=(model,), frozen=True, slots=True, kw_only=True)
