"""The fields of the API's rows and their values, as the descriptions of the columns have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from core.listing import image_table, object_table
from core.listing.columns import CellReader, Column, significant
from core.models import ImageRow, Spheroid

# One pixel more or less of a spheroid 500 px across shows in the sixth digit of its diameter. What follows
# cannot be measured, nor compressed: it is left to the files to download, which have all digits.
DIGITS = 6

# Each has a name, an ``annotation``, a label and a description.
IMAGE_FIELDS: Sequence[Column] = image_table.API
OBJECT_FIELDS: Sequence[Column] = object_table.PROJECT_API
SPHEROID_FIELDS: Sequence[Column] = object_table.IMAGE_API


class _RowReader:
    """Values of the API's fields, measured numbers rounded."""

    def __init__(self, columns: Sequence[Column], getter: Callable[..., Callable[[Any], Any]]) -> None:
        self._read = CellReader({column.name: column for column in columns}, getter)
        self._measured = [
            index for index, column in enumerate(columns) if column.type is float and not column.exact
        ]

    def __call__(self, row: Any) -> dict[str, Any]:
        values = self._read.values(row)
        for place in self._measured:
            values[place] = significant(values[place], DIGITS)
        return dict(zip(self._read.keys, values, strict=True))


_image = _RowReader(IMAGE_FIELDS, attrgetter)
_object = _RowReader(OBJECT_FIELDS, itemgetter)
_spheroid = _RowReader(SPHEROID_FIELDS, itemgetter)


def image_cells(row: ImageRow) -> dict[str, Any]:
    """Values of IMAGE_FIELDS by name."""
    return _image(row)


def object_cells(row: dict[str, Any]) -> dict[str, Any]:
    """Values of OBJECT_FIELDS by name, of a row of the list of a project's spheroids."""
    return _object(row)


def spheroid_cells(spheroid: Spheroid, um_per_px: float | None) -> dict[str, Any]:
    """Values of SPHEROID_FIELDS by name."""
    facts = {"id": str(spheroid.number), "number": spheroid.number, "um_per_px": um_per_px}
    facts |= {"confidence": spheroid.confidence, "reasons": spheroid.reasons, "outline": spheroid.outline}
    facts |= {"outline_version_id": spheroid.outline_version_id, "version_id": None}
    return _spheroid(spheroid.measurements | facts)
