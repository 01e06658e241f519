"""Migrations and named queries, read from the .sql files of ``sql/``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import StorageError

FOLDER = Path(__file__).resolve().parent / "sql"
MIGRATIONS = FOLDER / "migrations"
METRICS_MIGRATIONS = FOLDER / "metrics_migrations"
COMPACTION = FOLDER / "compaction"
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\b")
_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    number: int
    name: str
    text: str


def load_queries(folder: Path = FOLDER) -> dict[str, str]:
    """Return every ``-- name:`` block of ``folder``/*.sql as ``file.name`` → statement.

    Raises:
        ValueError: a name stands twice in one file.
    """
    queries: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        parts = _NAME.split(path.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            key = f"{path.stem}.{name}"
            if key in queries:
                raise ValueError(f"{key} is defined twice")
            queries[key] = text.strip().rstrip(";")
    return queries


def is_explainable(text: str) -> bool:
    """Whether a statement only reads, and needs no rows handed to it."""
    return not _WRITES.search(text) and not re.search(r"\bincoming\b", text)


def load_migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """Return the schema's steps in the order of their numbers, each of which stands once."""
    steps = tuple(
        Migration(int(path.stem[:4]), path.stem[5:], path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    )
    if len({step.number for step in steps}) != len(steps):
        raise ValueError("two migrations have the same number")
    return steps


def pending_migrations(connection: Any, steps: tuple[Migration, ...]) -> tuple[tuple[Migration, ...], bool]:
    """Return the steps that a database lacks, and whether it has any of them: a new one has none.

    Raises:
        StorageError: the file has steps that this version does not know.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER, name VARCHAR, applied_at TIMESTAMP)"
    )
    applied = {row[0] for row in connection.execute("SELECT number FROM migration").fetchall()}
    if applied - {step.number for step in steps}:
        raise StorageError("This data folder was written by a newer Spheroscope. Update this one first.")
    return tuple(step for step in steps if step.number not in applied), bool(applied)


def migrate(connection: Any, steps: tuple[Migration, ...]) -> None:
    """Apply ``steps``; each and its record share one transaction."""
    for step in steps:
        record = "INSERT INTO migration VALUES (?, ?, current_localtimestamp())"
        connection.begin()
        try:
            connection.execute(step.text)
            connection.execute(record, [step.number, step.name])
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
