"""Rows of the exported tables, in the columns that ``image_columns`` and ``object_columns`` describe.

``images.csv`` has a row an image, ``objects.csv`` a row a spheroid, ``formulas.csv`` a row a measured column.
Every number keeps its full precision; what is not known is None.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import SpheroscopeError
from core.listing import image_table, object_table
from core.listing.columns import CellReader, with_twins
from core.listing.csv_table import Cell, write_csv
from core.listing.image_columns import IMAGE_COLUMNS
from core.listing.object_columns import OBJECT_COLUMNS
from core.models import ImageStatus, PageFacts, PixelSizeSource, Segmentation
from core.models.summary import summary

ExportRow = dict[str, Cell]

IMAGE_HEADER = tuple(image_table.EXPORTED)
OBJECT_HEADER = tuple(object_table.EXPORTED)
FORMULA_HEADER = ("column", "unit", "formula")

_read_image = CellReader(image_table.EXPORTED)
_read_object = CellReader(object_table.EXPORTED)
_NOTHING_KNOWN = dict.fromkeys(_read_image.names)


@dataclass(frozen=True, slots=True)
class PixelSize:
    """µm per pixel and where it comes from; both None where it is not known."""

    um_per_px: float | None = None
    source: PixelSizeSource | None = None


def image_row(row: Mapping[str, Any]) -> ExportRow:
    """Row of ``images.csv``; ``row`` has the columns of an image and its result, those that are known."""
    return _read_image({**_NOTHING_KNOWN, **row})


def object_row(row: Mapping[str, Any]) -> ExportRow:
    """Row of ``objects.csv``; ``row`` has the columns of a spheroid, its image and its result."""
    return _read_object(row)


def measured_image(
    path: str,
    facts: PageFacts | None,
    size: PixelSize,
    result: Segmentation | SpheroscopeError,
    seconds: float | None = None,
) -> ExportRow:
    """Row of ``images.csv`` of a file; ``facts`` is None where even its header could not be read.

    ``mask`` and ``overlay`` are left to whoever wrote those files.
    """
    row: dict[str, Any] = {"name": path, "seconds": seconds}
    if facts is not None:
        row |= {"page": facts.page, "width": facts.width, "height": facts.height}
        row |= {"bit_depth": facts.bit_depth, "um_per_px": size.um_per_px, "um_per_px_source": size.source}
    if isinstance(result, SpheroscopeError):
        row |= {"status": ImageStatus.FAILED, "error_code": result.code, "error": result.message}
        return image_row(row)
    row |= {"status": ImageStatus.DONE, "engine": result.engine, "engine_version": result.engine_version}
    return image_row(row | {"params": result.params} | summary(result.spheroids, result.confidence))


def measured_objects(path: str, result: Segmentation, um_per_px: float | None) -> Iterator[ExportRow]:
    """Rows of ``objects.csv`` of a file, in the order of the spheroids' numbers."""
    image = {"image_name": path, "um_per_px": um_per_px}
    image |= {"engine": result.engine, "engine_version": result.engine_version}
    for spheroid in result.spheroids:
        facts = {"number": spheroid.number, "confidence": spheroid.confidence, "reasons": spheroid.reasons}
        yield object_row({**spheroid.measurements, **image, **facts})


def formula_rows() -> Iterator[ExportRow]:
    """Unit and formula of every measured column."""
    described = {
        column.export: column
        for column in with_twins((*OBJECT_COLUMNS, *IMAGE_COLUMNS))
        if column.formula and column.export
    }
    for name, column in described.items():
        yield {"column": name, "unit": column.unit, "formula": column.formula}


def formulas_text() -> str:
    """CSV text with unit and formula of every measured column; goes beside each exported table."""
    text = io.StringIO()
    write_csv(formula_rows(), FORMULA_HEADER, text)
    return text.getvalue()
