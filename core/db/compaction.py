"""Compaction: rewrites the database file with the rows of a project side by side, while no app is running.

A copy is written beside the file, compared with it table by table, forced to the disk and renamed over it. If
the process is killed, either the old file or the new one is there, complete. DuckDB's lock on the file is
held while it is read, and one of the same kind until it has been replaced.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from core.db.backup import locked, require_space
from core.db.connection import open_error
from core.db.statements import COMPACTION, load_queries
from core.errors import DatabaseLocked, StorageError
from core.files.fsync import fsync

ReportStep = Callable[[str], None]


class TableOrder(StrEnum):
    """Order of the rows in the new file."""

    PROJECT = "project"  # images of a project together, the newest first, with their spheroids likewise
    ADDED = "added"  # as they were added, as in a database that was never compacted


@dataclass(frozen=True, slots=True)
class Compacted:
    """Sizes of the file, and numbers of rows."""

    before_bytes: int
    after_bytes: int
    rows: dict[str, int]  # by table


def compact(
    path: Path, memory_mb: int, order: TableOrder = TableOrder.PROJECT, report: ReportStep = lambda _: None
) -> Compacted:
    """Rewrite the database at ``path``; ``report`` is called with the name of each step before it.

    Raises:
        DatabaseLocked: an app uses it, or started meanwhile.
        StorageError: it is missing, cannot be read, does not fit on the disk, or the copy differs.
    """
    copy = path.parent / "tmp" / "compacted.duckdb"
    _remove(copy)
    try:
        report("copying")
        before, state, rows = _copy(path, copy, memory_mb, order, report)
        report("saving")
        fsync(copy)
        after = copy.stat().st_size
        with locked(path):
            if _state(path) != state or _log(path).exists():
                raise _started_meanwhile()
            report("replacing")
            os.replace(copy, path)
            report("replaced")
            fsync(path.parent)
    except OSError as error:
        raise StorageError(f"The database could not be written anew: {error.strerror}.") from error
    finally:
        _remove(copy)
    return Compacted(before, after, rows)


def _copy(
    path: Path, copy: Path, memory_mb: int, order: TableOrder, report: ReportStep
) -> tuple[int, tuple[int, int, int], dict[str, int]]:
    if not path.exists():
        raise StorageError(f"There is no database at {path}.")
    size = path.stat().st_size
    copy.parent.mkdir(exist_ok=True)
    require_space(copy.parent, size)
    config: dict[str, Any] = {"memory_limit": f"{memory_mb}MB", "temp_directory": str(copy.parent / "duckdb")}
    try:
        with closing(duckdb.connect(config=config)) as connection:
            connection.execute(f"ATTACH {_quoted(path)} AS old")
            connection.execute("CHECKPOINT old")  # folds the log into the file: none may be left of it
            connection.execute(f"ATTACH {_quoted(copy)} AS fresh")
            rows = _copy_tables(connection, order, report)
            connection.execute("CHECKPOINT fresh")
            state = _state(path)
    except duckdb.Error as error:
        raise open_error(path, error) from error
    if _log(copy).exists():
        raise StorageError("The copy could not be finished. Nothing was changed.")
    return size, state, rows


def _copy_tables(connection: Any, order: TableOrder, report: ReportStep) -> dict[str, int]:
    """Copy every table of ``old`` to ``fresh`` and compare them; return their numbers of rows."""
    queries = load_queries(COMPACTION)
    connection.execute("COPY FROM DATABASE old TO fresh (SCHEMA)")
    rows: dict[str, int] = {}
    for (table,) in connection.execute(queries["compaction.tables"]).fetchall():
        report(table)
        fill = queries.get(f"compaction.{order}_{table}", queries["compaction.other"])
        connection.execute(fill.format(table=table)).fetchall()
        old_rows, new_rows = (
            connection.execute(
                queries["compaction.content"].format(database=database, table=table)
            ).fetchall()
            for database in ("old", "fresh")
        )
        if old_rows != new_rows:
            raise StorageError(f"The copy of the table {table} is not equal to it. Nothing was changed.")
        rows[table] = new_rows[0][0]
    return rows


def _started_meanwhile() -> DatabaseLocked:
    return DatabaseLocked("Spheroscope has begun to run on this folder. Stop it first. Nothing was changed.")


def _state(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _remove(copy: Path) -> None:
    for path in (copy, _log(copy)):
        path.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
