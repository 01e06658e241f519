"""Rows of the exported tables: what a column is called, what stands in it, and how it is written as CSV.

``images.csv`` has a row an image, ``objects.csv`` a row a spheroid, ``formulas.csv`` a row a measured column.
Every number is written with full precision; what is not known is an empty cell. Text that a spreadsheet
would run as a formula gets a leading apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from core import __version__
from core.errors import SpheroscopeError
from core.models import (
    MEASUREMENTS,
    Column,
    Dimension,
    ImageStatus,
    PageFacts,
    PixelSizeSource,
    Segmentation,
    Spheroid,
)

Cell = str | int | float | bool | None
ExportRow = dict[str, Cell]

IMAGE_COLUMNS = (
    "path",
    "status",
    "error_code",
    "error",
    "page",
    "width",
    "height",
    "bit_depth",
    "um_per_px",
    "um_per_px_source",
    "n_objects",
    "largest_equivalent_diameter",
    "largest_equivalent_diameter_um",
    "confidence",
    "engine",
    "engine_version",
    "params",
    "spheroscope_version",
    "seconds",
    "mask",
    "overlay",
)
MEASUREMENT_COLUMNS = tuple(
    name
    for column in MEASUREMENTS
    for name in (column.name, column.name + column.dimension.um_suffix)[: 1 + bool(column.dimension.power)]
)
OBJECT_COLUMNS = (
    "path",
    "object",
    *MEASUREMENT_COLUMNS,
    "confidence",
    "reasons",
    "engine",
    "engine_version",
    "spheroscope_version",
)
FORMULA_COLUMNS = ("column", "unit", "formula")

# What typed formats make of a column; one that is named nowhere here holds numbers with a fraction.
TEXT_COLUMNS = frozenset(
    {
        *("path", "status", "error_code", "error", "um_per_px_source", "params", "mask", "overlay"),
        *("reasons", "engine", "engine_version", "spheroscope_version"),
    }
)
COUNT_COLUMNS = frozenset(
    {
        *("page", "width", "height", "bit_depth", "n_objects", "object", "n_holes"),
        *("area", "bbox_x", "bbox_y", "bbox_width", "bbox_height"),
    }
)
TRUTH_COLUMNS = frozenset({"touches_border"})

CONFIDENCE = "expected intersection over union with a person's outline, fitted on images unseen in training"
RISKY_STARTS = ("=", "+", "-", "@", "\t", "\r")
# units of the columns that a pixel size does not scale; the other ones are ratios
PURE_UNITS = {
    "centroid_x": "px",
    "centroid_y": "px",
    "bbox_x": "px",
    "bbox_y": "px",
    "bbox_width": "px",
    "bbox_height": "px",
    "intensity_mean": "raw units",
    "intensity_sd": "raw units",
    "touches_border": "true or false",
    "n_holes": "count",
}


@dataclass(frozen=True, slots=True)
class Calibration:
    """µm per pixel and who said so; both None where nobody did."""

    um_per_px: float | None = None
    source: PixelSizeSource | None = None


def image_row(
    path: str,
    facts: PageFacts | None,
    size: Calibration,
    result: Segmentation | SpheroscopeError,
    seconds: float | None = None,
) -> ExportRow:
    """Row of ``images.csv``; ``facts`` is None where the file could not even be looked into.

    ``mask`` and ``overlay`` are left to whoever wrote those files.
    """
    row: ExportRow = dict.fromkeys(IMAGE_COLUMNS)
    row |= {"path": path, "spheroscope_version": __version__, "seconds": seconds}
    if facts is not None:
        row |= {"page": facts.page, "width": facts.width, "height": facts.height}
        row |= {"bit_depth": facts.bit_depth, "um_per_px": size.um_per_px, "um_per_px_source": size.source}
    if isinstance(result, SpheroscopeError):
        return row | {"status": ImageStatus.FAILED, "error_code": result.code, "error": result.message}
    return row | _result_cells(result, size.um_per_px)


def object_rows(path: str, result: Segmentation, um_per_px: float | None) -> Iterator[ExportRow]:
    """Rows of ``objects.csv``, in the order of the spheroids' numbers."""
    versions: ExportRow = {
        "engine": result.engine,
        "engine_version": result.engine_version,
        "spheroscope_version": __version__,
    }
    for spheroid in result.spheroids:
        row: ExportRow = {"path": path, "object": spheroid.number}
        row |= measurement_cells(spheroid.measurements, um_per_px)
        yield row | {"confidence": spheroid.confidence, "reasons": reasons_text(spheroid)} | versions


def measurement_cells(values: Mapping[str, float | int | bool | None], um_per_px: float | None) -> ExportRow:
    """Every measurement in pixels, each beside its µm twin; the twin is None where the size is not known."""
    cells: ExportRow = {}
    for column in MEASUREMENTS:
        value = values[column.name]
        cells[column.name] = value
        if column.dimension.power:
            cells[column.name + column.dimension.um_suffix] = scaled(value, column.dimension, um_per_px)
    return cells


def scaled(value: float | None, dimension: Dimension, um_per_px: float | None) -> float | None:
    """A length, area or volume in pixels as µm, µm² or µm³."""
    if value is None or um_per_px is None:
        return None
    return float(value) * um_per_px**dimension.power


def reasons_text(spheroid: Spheroid) -> str | None:
    """Why values are missing: ``name: reason``, parted by semicolons."""
    return "; ".join(f"{name}: {reason}" for name, reason in spheroid.reasons.items()) or None


def safe_text(text: str) -> str:
    """``text`` such that a spreadsheet shows it and does not run it."""
    return f"'{text}" if text.startswith(RISKY_STARTS) or "\0" in text else text


class CsvTable:
    """Writes rows one by one as RFC 4180 CSV, header first. Open ``stream`` with ``newline=""``."""

    def __init__(self, columns: Sequence[str], stream: TextIO) -> None:
        self._columns = tuple(columns)
        self._writer = csv.writer(stream)
        self._writer.writerow(self._columns)

    def write(self, row: Mapping[str, object]) -> None:
        """Write one row; a column that it lacks stays empty.

        Raises:
            ValueError: ``row`` has a key that is no column.
        """
        if unknown := row.keys() - set(self._columns):
            raise ValueError(f"not a column: {', '.join(sorted(unknown))}")
        self._writer.writerow([_cell(row.get(name)) for name in self._columns])


def write_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str], stream: TextIO) -> None:
    """Write all ``rows`` to ``stream``, holding one at a time."""
    table = CsvTable(columns, stream)
    for row in rows:
        table.write(row)


def formulas_text() -> str:
    """CSV text that says unit and formula of every measured column; goes beside each exported table."""
    text = io.StringIO()
    write_csv(formula_rows(), FORMULA_COLUMNS, text)
    return text.getvalue()


def _result_cells(result: Segmentation, um_per_px: float | None) -> ExportRow:
    diameters = [spheroid.measurements["equivalent_diameter"] for spheroid in result.spheroids]
    largest = max((value for value in diameters if value is not None), default=None)
    return {
        "status": ImageStatus.DONE,
        "n_objects": len(result.spheroids),
        "largest_equivalent_diameter": largest,
        "largest_equivalent_diameter_um": scaled(largest, Dimension.LENGTH, um_per_px),
        "confidence": result.confidence,
        "engine": result.engine,
        "engine_version": result.engine_version,
        "params": json.dumps(result.params, sort_keys=True, ensure_ascii=False),
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))  # the shortest text that reads back as the same number
    return safe_text(value) if isinstance(value, str) else str(value)


def formula_rows() -> Iterator[ExportRow]:
    """Unit and formula of every measured column."""
    for column in MEASUREMENTS:
        yield {"column": column.name, "unit": _unit(column), "formula": column.formula}
        if power := column.dimension.power:
            yield {
                "column": column.name + column.dimension.um_suffix,
                "unit": "µm" + _exponent(power),
                "formula": f"{column.name} × um_per_px{_exponent(power)}",
            }
    largest = "of the image's spheroids, the greatest equivalent_diameter"
    for suffix, unit in (("", "px"), ("_um", "µm")):
        yield {"column": "largest_equivalent_diameter" + suffix, "unit": unit, "formula": largest + suffix}
    yield {"column": "confidence", "unit": "ratio", "formula": CONFIDENCE}


def _unit(column: Column) -> str:
    power = column.dimension.power
    return "px" + _exponent(power) if power else PURE_UNITS.get(column.name, "ratio")


def _exponent(power: int) -> str:
    return {1: "", 2: "²", 3: "³"}[power]
