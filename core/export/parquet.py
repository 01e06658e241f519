"""Exported tables for programs: Parquet files, whose columns have types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.export.archive import ExportContext
from core.export.item import Item
from core.listing import export_rows, image_table, object_table
from core.listing.columns import Column

GROUP_ROWS = 20_000
TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), datetime: pa.timestamp("us")}


class Parquet:
    """``images.parquet`` and ``objects.parquet``."""

    def __init__(self, context: ExportContext) -> None:
        self._context = context
        self._images = _Table(context.folder / "images.parquet", image_table.EXPORTED)
        self._objects = _Table(context.folder / "objects.parquet", object_table.EXPORTED)
        for table in (self._images, self._objects):
            context.stack.callback(table.close)

    def add(self, item: Item) -> None:
        self._images.add([item.image_cells])
        self._objects.add(item.object_cells)

    def finish(self) -> None:
        for table in (self._images, self._objects):
            table.close()
            self._context.add_from_folder(table.path.name)


class _Table:
    """One Parquet file, written by row groups."""

    def __init__(self, path: Path, columns: Mapping[str, Column]) -> None:
        self.path = path
        self._schema = pa.schema([(name, _type(column)) for name, column in columns.items()])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[export_rows.ExportRow] = []

    def add(self, rows: Sequence[export_rows.ExportRow]) -> None:
        self._rows += rows
        if len(self._rows) >= GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
            self._rows = []


def _type(column: Column) -> Any:
    """Return the Arrow type of a column; enumerated words are text."""
    return next((arrow for kind, arrow in TYPES.items() if issubclass(column.type, kind)), pa.string())
