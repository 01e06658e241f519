"""Rows of the exported tables, in the columns that ``image_columns`` and ``object_columns`` describe.

``images.csv`` has a row an image, ``objects.csv`` a row a spheroid, ``formulas.csv`` a row a measured column.
Every number keeps its full precision, unless fewer digits are asked for; what is not known is None.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import SpheroscopeError
from core.listing import image_table, object_table
from core.listing.columns import CellReader, significant, with_twins
from core.listing.csv_table import Cell, write_csv
from core.listing.image_columns import IMAGE_COLUMNS, params_text
from core.listing.object_columns import OBJECT_COLUMNS
from core.models import ImageStatus, PageFacts, PixelSizeSource, Segmentation, VersionKind
from core.models.summary import summary

ExportRow = dict[str, Cell]

IMAGE_HEADER = tuple(image_table.EXPORTED)
OBJECT_HEADER = tuple(object_table.EXPORTED)
FORMULA_HEADER = ("column", "unit", "formula")

_read_image = CellReader(image_table.EXPORTED)
_read_object = CellReader(object_table.EXPORTED)
_NOTHING_KNOWN = dict.fromkeys(_read_image.names)
_EXACT = frozenset(
    name for table in (image_table, object_table) for name, column in table.EXPORTED.items() if column.exact
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The file or page that rows are of: its path, the image's name, the file's SHA-256 if known."""

    path: str
    name: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class UsedPixelSize:
    """µm per pixel and where it comes from; both None where it is not known."""

    um_per_px: float | None = None
    source: PixelSizeSource | None = None


def image_row(row: Mapping[str, Any]) -> ExportRow:
    """Row of ``images.csv``; ``row`` has the columns of an image and its result, those that are known."""
    return _read_image({**_NOTHING_KNOWN, **row})


def object_row(row: Mapping[str, Any]) -> ExportRow:
    """Row of ``objects.csv``; ``row`` has the columns of a spheroid, its image and its result."""
    return _read_object(row)


def shortened(row: ExportRow, digits: int | None) -> ExportRow:
    """The row with its measured numbers rounded to significant digits; None leaves every digit."""
    if digits is None:
        return row
    return {name: value if name in _EXACT else significant(value, digits) for name, value in row.items()}


def measured_image(
    file: SourceFile,
    facts: PageFacts | None,
    size: UsedPixelSize,
    result: Segmentation | SpheroscopeError,
    seconds: float | None = None,
) -> ExportRow:
    """Row of ``images.csv`` of a file; ``facts`` is None where even its header could not be read.

    ``mask`` and ``overlay`` are left to whoever wrote those files.
    """
    row: dict[str, Any] = {"path": file.path, "name": file.name, "sha256": file.sha256, "seconds": seconds}
    if facts is not None:
        row |= {"page": facts.page, "width": facts.width, "height": facts.height}
        row |= {"bit_depth": facts.bit_depth, "um_per_px": size.um_per_px, "um_per_px_source": size.source}
        row |= {"um_per_px_file": facts.um_per_px, "um_per_px_from": facts.um_per_px_from}
    if isinstance(result, SpheroscopeError):
        row |= {"status": ImageStatus.FAILED, "error_code": result.code, "error": result.message}
        return image_row(row)
    row |= {"status": ImageStatus.DONE, "engine": result.engine, "engine_version": result.engine_version}
    row |= {"params": result.params, "version_kind": VersionKind.AUTOMATIC}
    return image_row(row | summary(result.spheroids, result.confidence, result.quality))


def measured_objects(file: SourceFile, result: Segmentation, size: UsedPixelSize) -> Iterator[ExportRow]:
    """Rows of ``objects.csv`` of a file, in the order of the spheroids' numbers."""
    image: dict[str, Any] = {"path": file.path, "image_name": file.name}
    image |= {"um_per_px": size.um_per_px, "um_per_px_source": size.source}
    image |= {"engine": result.engine, "engine_version": result.engine_version}
    image |= {"params": params_text(result.params), "version_id": None}
    image |= {"version_kind": VersionKind.AUTOMATIC, "review": None, "review_reason": None}
    for spheroid in result.spheroids:
        facts: dict[str, Any] = {"number": spheroid.number, "confidence": spheroid.confidence}
        facts |= {"reasons": spheroid.reasons, "outline": spheroid.outline, "outline_version_id": None}
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
