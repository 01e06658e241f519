"""Opening a database file, its schema brought up to date; what keeps it from opening, in words."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import duckdb

from core.db.backup import back_up
from core.db.statements import load_migrations, migrate, pending_migrations
from core.errors import DatabaseLocked, StorageError

log = logging.getLogger(__name__)


def connect(path: Path, memory_mb: int, threads: int, schema: Path) -> Any:
    """Open or create the file at ``path``, and migrate it to the schema in the folder ``schema``.

    A database that is not new is backed up before it is migrated.

    Raises:
        DatabaseLocked: another process has it open.
        StorageError: it cannot be opened or backed up, or was written by a newer version.
    """
    steps = load_migrations(schema)
    connection = _open(path, memory_mb, threads)
    try:
        pending, older = pending_migrations(connection, steps)
        if pending and older:
            connection.execute("CHECKPOINT")
            connection.close()
            copy = back_up(path, pending[0].number)
            log.info("event=db.backed_up copy=%s", copy.name)
            connection = _open(path, memory_mb, threads)
        migrate(connection, pending)
        connection.execute("CREATE SEQUENCE IF NOT EXISTS commits")
    except duckdb.Error as error:
        connection.close()
        raise open_error(path, error) from error
    except StorageError:
        connection.close()
        raise
    return connection


def _open(path: Path, memory_mb: int, threads: int) -> Any:
    config: dict[str, Any] = {
        "memory_limit": f"{memory_mb}MB",
        "threads": str(threads),
        "temp_directory": str(path.parent / "tmp" / "duckdb"),
        "max_temp_directory_size": "2GB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
    }
    try:
        connection = duckdb.connect(str(path), config=config)
        # The default of 50 rows would send a page of 100 through a full sort of wide rows.
        connection.execute("SET late_materialization_max_rows = 200")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        raise open_error(path, error) from error
    return connection


def open_error(path: Path, error: duckdb.Error) -> StorageError:
    """Return the error of a file that cannot be opened, with a message for people."""
    holder = re.search(r"PID (\d+)", str(error))
    if holder or "set lock" in str(error):
        by = f" (process {holder[1]})" if holder else ""
        return DatabaseLocked(f"Spheroscope is already running on {path.parent}{by}. Stop it first.")
    return StorageError(f"The database {path.name} cannot be opened: {error}")
