"""Tables of a project as CSV text, generated in pieces from rows of the database.

The columns are those of the command line's tables. ``digits`` rounds measured numbers to significant digits;
without it they have all of theirs. Close a generator that is not read to its end: it holds a cursor.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from core.listing import csv_table, export_rows
from core.listing.export_rows import image_row, object_row, shortened
from core.store.results import Rows

PIECE_CHARACTERS = 64 * 1024

Pieces = Generator[str, None, None]


def objects_csv(
    rows: Rows, names: Sequence[str] = export_rows.OBJECT_HEADER, digits: int | None = None
) -> Pieces:
    """Yield objects.csv, or the columns ``names`` of it, from rows of ``ResultStore.objects``."""
    if names == export_rows.OBJECT_HEADER:
        return _pieces(rows, lambda row: shortened(object_row(row), digits), names)
    return _pieces(rows, lambda row: _some(shortened(object_row(row), digits), names), names)


def images_csv(rows: Rows, digits: int | None = None) -> Pieces:
    """Yield images.csv from rows of ``ResultStore.images``."""
    return _pieces(rows, lambda row: shortened(image_row(row), digits), export_rows.IMAGE_HEADER)


def _some(row: export_rows.ExportRow, names: Sequence[str]) -> export_rows.ExportRow:
    return {name: row[name] for name in names}


def _pieces(
    rows: Rows, to_row: Callable[[Mapping[str, Any]], export_rows.ExportRow], names: Sequence[str]
) -> Pieces:
    with closing(rows):
        text = io.StringIO(newline="")
        table = csv_table.CsvTable(names, text)
        for row in rows:
            table.write(to_row(row))
            if text.tell() >= PIECE_CHARACTERS:
                yield text.getvalue()
                text.seek(0)
                text.truncate()
        yield text.getvalue()
