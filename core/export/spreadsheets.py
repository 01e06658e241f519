"""Tables for people: CSV text and an Excel workbook, written row by row."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
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

    def __init__(self, desk: ExportContext) -> None:
        self._desk = desk
        self._files = {name: desk.text(name) for name in ("images.csv", "objects.csv")}
        self._images = csv_table.CsvTable(export_rows.IMAGE_HEADER, self._files["images.csv"])
        self._objects = csv_table.CsvTable(export_rows.OBJECT_HEADER, self._files["objects.csv"])

    def add(self, item: Item) -> None:
        self._images.write(item.image_cells)
        for row in item.object_cells:
            self._objects.write(row)

    def finish(self) -> None:
        for name, file in self._files.items():
            file.close()
            self._desk.hand_in(name)


class Xlsx:
    """``results.xlsx`` with a sheet a table; rows go to the disk one by one."""

    NAME = "results.xlsx"

    def __init__(self, desk: ExportContext) -> None:
        self._desk = desk
        # Text is text: it neither becomes a formula nor a link.
        options = {"constant_memory": True, "tmpdir": str(desk.folder), "nan_inf_to_errors": True}
        options |= {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(str(desk.folder / self.NAME), options)
        desk.stack.callback(self._close)
        self._images = _Sheet(self._book, "images", export_rows.IMAGE_HEADER)
        self._objects = _Sheet(self._book, "objects", export_rows.OBJECT_HEADER)

    def add(self, item: Item) -> None:
        self._images.write(item.image_cells)
        for row in item.object_cells:
            self._objects.write(row)

    def finish(self) -> None:
        formulas = _Sheet(self._book, "formulas", export_rows.FORMULA_HEADER)
        for row in export_rows.formula_rows():
            formulas.write(row)
        self._book.close()
        self._desk.hand_in(self.NAME)

    def _close(self) -> None:
        if not self._book.fileclosed:
            with suppress(XlsxWriterException):  # what is left unfinished has failed already
                self._book.close()


class _Sheet:
    """A table that goes on in another sheet where one is full."""

    def __init__(self, book: Any, name: str, columns: Sequence[str]) -> None:
        self._book = book
        self._name = name
        self._columns = tuple(columns)
        self._bold = book.add_format({"bold": True})
        self._sheets = 0
        self._begin()

    def write(self, row: export_rows.ExportRow) -> None:
        if self._row > MAX_SHEET_ROWS:
            self._begin()
        for place, name in enumerate(self._columns):
            self._cell(place, row.get(name))
        self._row += 1

    def _begin(self) -> None:
        self._sheets += 1
        name = self._name if self._sheets == 1 else f"{self._name} {self._sheets}"
        self._sheet = self._book.add_worksheet(name)
        self._sheet.set_column(0, len(self._columns) - 1, COLUMN_WIDTH)
        self._sheet.freeze_panes(1, 1)
        for place, column in enumerate(self._columns):
            self._sheet.write_string(0, place, column, self._bold)
        self._row = 1

    def _cell(self, place: int, value: csv_table.Cell) -> None:
        if value is None:
            return
        if isinstance(value, bool):
            self._sheet.write_boolean(self._row, place, value)
        elif isinstance(value, str):
            self._sheet.write_string(self._row, place, csv_table.safe_text(value))
        else:
            self._sheet.write_number(self._row, place, value)


class Problems:
    """``problems.csv``: what had to be left out, and why; there is none where nothing had."""

    NAME = "problems.csv"
    COLUMNS = ("path", "part", "error_code", "error")

    def __init__(self, desk: ExportContext) -> None:
        self._desk = desk
        self._file = desk.text(self.NAME)
        self._table = csv_table.CsvTable(self.COLUMNS, self._file)
        self.count = 0

    def add(self, path: str, part: str, code: str, message: str) -> None:
        self._table.write({"path": path, "part": part, "error_code": code, "error": message})
        self.count += 1

    def finish(self) -> None:
        self._file.close()
        if self.count:
            self._desk.hand_in(self.NAME)
