"""Tables as CSV text: numbers with all their digits, text that no spreadsheet runs as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TextIO

Cell = str | int | float | bool | datetime | None  # times are UTC without a zone

RISKY_STARTS = ("=", "+", "-", "@", "\t", "\r")


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


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))  # the shortest text that reads back as the same number
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return safe_text(value) if isinstance(value, str) else str(value)
