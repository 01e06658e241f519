"""Exported tables for spreadsheets: CSV files and an Excel workbook, written row by row."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from core.export.archive import ExportContext
from core.export.item import Item
from core.listing import csv_table, export_rows

MAX_SHEET_ROWS = 2**20 - 1  # below the header
COLUMN_WIDTH = 16


class Csv:
    """``images.csv`` and ``objects.csv``."""

    def __init__(self, context: ExportContext) -> None:
        self._context = context
        self._files = {name: context.text(name) for name in ("images.csv", "objects.csv")}
        self._images = csv_table.CsvTable(export_rows.IMAGE_HEADER, self._files["images.csv"])
        self._objects = csv_table.CsvTable(export_rows.OBJECT_HEADER, self._files["objects.csv"])

    def add(self, item: Item) -> None:
        self._images.write(item.image_cells)
        for row in item.object_cells:
            self._objects.write(row)

    def finish(self) -> None:
        for name, file in self._files.items():
            file.close()
            self._context.add_from_folder(name)


class Xlsx:
    """``results.xlsx``: a sheet for each table; rows are written to disk one by one."""

    NAME = "results.xlsx"

    def __init__(self, context: ExportContext) -> None:
        self._context = context
        # Text stays text: no formulas, no links, no numbers.
        options = {"constant_memory": True, "tmpdir": str(context.folder), "nan_inf_to_errors": True}
        options |= {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._workbook = xlsxwriter.Workbook(str(context.folder / self.NAME), options)
        context.stack.callback(self._close)
        self._images = _Sheet(self._workbook, "images", export_rows.IMAGE_HEADER)
        self._objects = _Sheet(self._workbook, "objects", export_rows.OBJECT_HEADER)

    def add(self, item: Item) -> None:
        self._images.write(item.image_cells)
        for row in item.object_cells:
            self._objects.write(row)

    def finish(self) -> None:
        formulas = _Sheet(self._workbook, "formulas", export_rows.FORMULA_HEADER)
        for row in export_rows.formula_rows():
            formulas.write(row)
        self._workbook.close()
        self._context.add_from_folder(self.NAME)

    def _close(self) -> None:
        if not self._workbook.fileclosed:
            with suppress(XlsxWriterException):  # the export has failed already
                self._workbook.close()


class _Sheet:
    """A table that continues in another sheet when one is full."""

    def __init__(self, workbook: Any, name: str, columns: Sequence[str]) -> None:
        self._workbook = workbook
        self._name = name
        self._columns = tuple(columns)
        self._bold = workbook.add_format({"bold": True})
        self._time = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheets = 0
        self._begin()

    def write(self, row: export_rows.ExportRow) -> None:
        if self._row > MAX_SHEET_ROWS:
            self._begin()
        for index, name in enumerate(self._columns):
            self._cell(index, row.get(name))
        self._row += 1

    def _begin(self) -> None:
        self._sheets += 1
        name = self._name if self._sheets == 1 else f"{self._name} {self._sheets}"
        self._sheet = self._workbook.add_worksheet(name)
        self._sheet.set_column(0, len(self._columns) - 1, COLUMN_WIDTH)
        self._sheet.freeze_panes(1, 1)
        for index, column in enumerate(self._columns):
            self._sheet.write_string(0, index, column, self._bold)
        self._row = 1

    def _cell(self, index: int, value: csv_table.Cell) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self._sheet.write_boolean(self._row, index, value)
        elif isinstance(value, str):
            self._sheet.write_string(self._row, index, csv_table.safe_text(value))
        elif isinstance(value, datetime):
            self._sheet.write_datetime(self._row, index, value, self._time)
        else:
            self._sheet.write_number(self._row, index, value)


class Problems:
    """``problems.csv``: what was left out and why; not written where nothing was."""

    NAME = "problems.csv"
    COLUMNS = ("path", "part", "error_code", "error")

    def __init__(self, context: ExportContext) -> None:
        self._context = context
        self._file = context.text(self.NAME)
        self._table = csv_table.CsvTable(self.COLUMNS, self._file)
        self.count = 0

    def add(self, path: str, part: str, code: str, message: str) -> None:
        self._table.write({"path": path, "part": part, "error_code": code, "error": message})
        self.count += 1

    def finish(self) -> None:
        self._file.close()
        if self.count:
            self._context.add_from_folder(self.NAME)
