"""The DuckDB file: opened, migrated, read by one cursor a call and written by one thread.

Statements live in ``sql/`` and are called by name. Only this room imports duckdb.
"""

from __future__ import annotations

from core.db.database import Database
from core.db.session import Row, Session

__all__ = ["Database", "Row", "Session"]
