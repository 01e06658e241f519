"""Write ``docs/columns.md``: ``python -m core.listing.columns_doc > docs/columns.md``."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.listing import image_table, object_table
from core.listing.columns import Column, Shown, with_twins
from core.listing.image_columns import IMAGE_COLUMNS
from core.listing.object_columns import OBJECT_COLUMNS

_TYPES = {StrEnum: "word", str: "text", bool: "true or false", int: "whole number", float: "number"}
_HEAD = """| column | what it is | type | unit | `sort` | `…_min`, `…_max` | on screen | API | exported as |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
_TEXT = """# Columns

Made from their descriptions in `core/listing/image_columns.py` and `core/listing/object_columns.py` by
`python -m core.listing.columns_doc > docs/columns.md`. What is not known is null in the API and an empty
cell in exported tables. Sizes are measured in pixels; each has a twin in micrometres, which is not known
where the pixel size is not. Of the two, a table on screen shows micrometres by default, and pixels where
nothing is calibrated.

## Images

{images}
## Spheroids

The API's list of a project's spheroids lacks `confidence`, `look_at_this` and `reasons`; the list of an
image's spheroids lacks `image_id`, `image_name` and `um_per_px`.

{objects}"""


def document() -> str:
    """The text of docs/columns.md."""
    return _TEXT.format(
        images=_table(with_twins(IMAGE_COLUMNS), image_table.SORTS),
        objects=_table(with_twins(OBJECT_COLUMNS), object_table.SORTS),
    )


def _table(columns: Iterable[Column], sorts: Container[str]) -> str:
    rows = (_cells(column, sorts) for column in columns if _is_public(column))
    return _HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _is_public(column: Column) -> bool:
    return column.api or column.export is not None


def _cells(column: Column, sorts: Container[str]) -> tuple[str, ...]:
    return (
        f"`{column.name}`",
        column.description,
        _type(column.type),
        column.unit,
        _code(column.sort if column.sort in sorts else None),
        _bounds(column),
        "" if column.shown is Shown.NEVER else column.shown.value,
        "yes" if column.api else "",
        _code(column.export),
    )


def _bounds(column: Column) -> str:
    if column.filter and column.type is datetime:
        return f"`{column.filter}_from`, `{column.filter}_to`"
    return _code(column.filter)


def _type(value: Any) -> str:
    if not isinstance(value, type):
        return "text by name"
    if issubclass(value, datetime):
        return "time"
    return next(word for kind, word in _TYPES.items() if issubclass(value, kind))


def _code(name: str | None) -> str:
    return f"`{name}`" if name else ""


if __name__ == "__main__":
    print(document(), end="")
