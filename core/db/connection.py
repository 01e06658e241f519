"""Opening a database file, its schema brought up to date; what keeps it from opening, in words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

from core.db.statements import load_migrations, migrate
from core.errors import DatabaseLocked, StorageError


def connect(path: Path, memory_mb: int, threads: int, schema: Path) -> Any:
    """Open or create the file at ``path`` with the schema in the folder ``schema``.

    Raises:
        DatabaseLocked: another process has it open.
        StorageError: it cannot be opened, or was written by a newer version.
    """
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
    except duckdb.Error as error:
        raise unopened(path, error) from error
    try:
        # The default of 50 rows would send a page of 100 through a full sort of wide rows.
        connection.execute("SET late_materialization_max_rows = 200")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        migrate(connection, load_migrations(schema))
        connection.execute("CREATE SEQUENCE IF NOT EXISTS commits")
    except duckdb.Error as error:
        connection.close()
        raise unopened(path, error) from error
    except StorageError:
        connection.close()
        raise
    return connection


def unopened(path: Path, error: duckdb.Error) -> StorageError:
    """Why a file cannot be opened, in words."""
    holder = re.search(r"PID (\d+)", str(error))
    if holder or "set lock" in str(error):
        by = f" (process {holder[1]})" if holder else ""
        return DatabaseLocked(f"Spheroscope is already running on {path.parent}{by}. Stop it first.")
    return StorageError(f"The database {path.name} cannot be opened: {error}")
