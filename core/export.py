"""Exports of what is stored: CSV text in pieces, read row by row, so that a million rows need no memory.

The columns are those of the command line's tables; an image's ``path`` is its name. Whoever stops before the
end closes the generator, which closes the cursor that it reads from.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from core import __version__, tables
from core.models import Contour, Dimension, Spheroid
from core.store.results import Rows
from core.store.rows import measurements_of

PIECE_CHARACTERS = 64 * 1024

Pieces = Generator[str, None, None]


def objects_csv(rows: Rows) -> Pieces:
    """objects.csv of the rows of ``ResultStore.objects``."""
    return _pieces(rows, _object_row, tables.OBJECT_COLUMNS)


def images_csv(rows: Rows) -> Pieces:
    """images.csv of the rows of ``ResultStore.images``."""
    return _pieces(rows, _image_row, tables.IMAGE_COLUMNS)


def _pieces(rows: Rows, to_row: Callable[[Mapping[str, Any]], tables.Row], columns: Sequence[str]) -> Pieces:
    with closing(rows):
        text = io.StringIO(newline="")
        table = tables.CsvTable(columns, text)
        for row in rows:
            table.write(to_row(row))
            if text.tell() >= PIECE_CHARACTERS:
                yield text.getvalue()
                text.seek(0)
                text.truncate()
        yield text.getvalue()


def _object_row(row: Mapping[str, Any]) -> tables.Row:
    # The outline is in no table, and parsing it would take longer than all the rest.
    spheroid = Spheroid(row["number"], Contour(()), measurements_of(row), json.loads(row["reasons"]))
    return {
        "path": row["name"],
        "object": spheroid.number,
        **tables.measurement_cells(spheroid.measurements, row["um_per_px"]),
        "reasons": tables.reasons_text(spheroid),
        "engine": row["engine"],
        "engine_version": row["engine_version"],
        "spheroscope_version": __version__,
    }


def _image_row(row: Mapping[str, Any]) -> tables.Row:
    same = (name for name in tables.IMAGE_COLUMNS if name in row and name != "params")
    largest = row["largest_diameter_px"]
    return {
        **{name: row[name] for name in same},
        "path": row["name"],
        "largest_equivalent_diameter": largest,
        "largest_equivalent_diameter_um": tables.scaled(largest, Dimension.LENGTH, row["um_per_px"]),
        "params": _params_text(row["params"]),
        "spheroscope_version": __version__,
    }


def _params_text(stored: str | None) -> str | None:
    return None if stored is None else json.dumps(json.loads(stored), sort_keys=True, ensure_ascii=False)
