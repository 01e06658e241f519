"""What is generated from ``object_columns``: sorts, filters, fields of the API, exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.listing.columns import Column, with_twins
from core.listing.object_columns import IMAGE_LIST, OBJECT_COLUMNS, PROJECT_LIST

LISTED = tuple(column for column in with_twins(OBJECT_COLUMNS) if column.listed)
# Names that the list of a project's spheroids is narrowed by, as SQL.
RANGES: Mapping[str, str] = {column.filter: column.sql for column in LISTED if column.filter}
# Names that it is sorted by, as SQL, and of which type they are in the database.
SORTS: Mapping[str, str] = {
    column.sort: f"lower({column.sql})" if column.type is str else column.sql
    for column in LISTED
    if column.sort
}
SORT_TYPES: Mapping[str, Any] = {"object": int} | {
    column.sort: column.type for column in OBJECT_COLUMNS if column.sort and column.type in (str, bool)
}  # the others are numbers with a fraction
PROJECT_API = tuple(column for column in with_twins(PROJECT_LIST) if column.api)
IMAGE_API = tuple(column for column in with_twins(IMAGE_LIST) if column.api)
_PIXEL_SIZE = ("um_per_px", "um_per_px_source")


def with_pixel_size(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return exported columns, behind sizes in micrometres also the pixel size that they follow from."""
    if not any(EXPORTED[name].twin_of for name in names):
        return names
    return (*names, *(name for name in _PIXEL_SIZE if name not in names))


EXPORTED: Mapping[str, Column] = {
    column.export: column for column in with_twins(OBJECT_COLUMNS) if column.export
}
