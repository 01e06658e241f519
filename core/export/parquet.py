"""Tables for programs: Parquet files whose columns have types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.export.archive import ExportContext
from core.export.item import Item
from core.listing import columns

GROUP_ROWS = 20_000


class Parquet:
    """``images.parquet`` and ``objects.parquet``."""

    def __init__(self, desk: ExportContext) -> None:
        self._desk = desk
        self._images = _Table(desk.folder / "images.parquet", columns.IMAGE_COLUMNS)
        self._objects = _Table(desk.folder / "objects.parquet", columns.OBJECT_COLUMNS)
        for table in (self._images, self._objects):
            desk.stack.callback(table.close)

    def add(self, item: Item) -> None:
        self._images.add([item.image_cells])
        self._objects.add(item.object_cells)

    def finish(self) -> None:
        for table in (self._images, self._objects):
            table.close()
            self._desk.hand_in(table.path.name)


class _Table:
    """One file, written a row group at a time."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        self._schema = pa.schema([(name, _type(name)) for name in names])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[columns.ExportRow] = []

    def add(self, rows: Sequence[columns.ExportRow]) -> None:
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


def _type(name: str) -> Any:
    if name in columns.TEXT_COLUMNS:
        return pa.string()
    if name in columns.COUNT_COLUMNS:
        return pa.int64()
    return pa.bool_() if name in columns.TRUTH_COLUMNS else pa.float64()
