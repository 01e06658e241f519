"""DuckDB's errors as errors of this program, with a message for a person."""

from __future__ import annotations

import logging

import duckdb

from core.errors import DatabaseOutOfMemory, StorageError

log = logging.getLogger(__name__)


def translated(error: BaseException, summary: str) -> BaseException:
    """Return the error to raise in place of ``error``; its message begins with ``summary``.

    An error that neither memory nor disk explain is a fault in the program, and is returned as it is.
    """
    if isinstance(error, duckdb.OutOfMemoryException):
        log.error("event=db.out_of_memory", exc_info=error)
        return DatabaseOutOfMemory(
            f"{summary} This takes more memory than the database may use. Ask for less at once, or raise "
            "DUCKDB_MEMORY_MB."
        )
    if isinstance(error, duckdb.OperationalError | duckdb.FatalException):
        log.error("event=db.failed", exc_info=error)
        return StorageError(f"{summary} Look whether the disk is full, then try again.")
    return error
