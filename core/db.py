"""The one DuckDB file: opened, migrated, read by a cursor a call, written by one thread.

A connection shared by threads gives wrong answers (measured), so every read takes a fresh cursor. Writes are
closures handed to one writer thread, which puts what is waiting into one transaction and answers each caller
after COMMIT: no conflicts, one fsync for many results.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import polars as pl

from core.errors import DatabaseLocked, ServiceClosed, StorageError
from core.monitoring import QueryRecorder
from core.sql import Migration, load_migrations, load_queries

log = logging.getLogger(__name__)
T = TypeVar("T")
Row = dict[str, Any]

MAX_BATCH = 64
IDLE_SECONDS = 5.0  # after which the write-ahead log is folded into the file


class Session:
    """One cursor in use by one thread: statements by name, each recorded with its duration."""

    def __init__(self, cursor: Any, queries: dict[str, str], recorder: QueryRecorder) -> None:
        self._cursor = cursor
        self._queries = queries
        self._recorder = recorder

    def rows(self, name: str, values: Row | None = None, **parts: str) -> list[Row]:
        """Run the statement ``name`` with ``values`` bound; return its rows.

        ``parts`` fill {braces} in the statement's text (a sort order, say) and must come from the program
        itself, never from a user.
        """
        text = self._queries[name]
        if parts:
            text = text.format(**parts)
        start = time.perf_counter()
        self._cursor.execute(text, values or {})
        names = [column[0] for column in self._cursor.description or ()]
        found = [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]
        self._recorder.record(name, (time.perf_counter() - start) * 1000, len(found))
        return found

    def one(self, name: str, values: Row | None = None) -> Row | None:
        """Run the statement ``name``; return its first row, or None."""
        found = self.rows(name, values)
        return found[0] if found else None

    def rows_from(self, name: str, frame: pl.DataFrame, values: Row | None = None) -> list[Row]:
        """Run the statement ``name``, in which the table ``incoming`` is ``frame``."""
        self._cursor.register("incoming", frame)
        try:
            return self.rows(name, values)
        finally:
            self._cursor.unregister("incoming")

    def stream(self, name: str, values: Row, size: int = 2000) -> Iterator[list[Row]]:
        """Run the statement ``name``; yield its rows ``size`` at a time, in constant memory."""
        start = time.perf_counter()
        total = 0
        self._cursor.execute(self._queries[name], values)
        names = [column[0] for column in self._cursor.description]
        while chunk := self._cursor.fetchmany(size):
            total += len(chunk)
            yield [dict(zip(names, row, strict=True)) for row in chunk]
        self._recorder.record(name, (time.perf_counter() - start) * 1000, total)


class Database:
    """An open database file. Any thread may call ``read`` and ``write``."""

    def __init__(self, connection: Any, recorder: QueryRecorder) -> None:
        self._connection = connection
        self._recorder = recorder
        self._queries = load_queries()
        self._writes: queue.SimpleQueue[tuple[Callable[[Session], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._closing = threading.Lock()
        self._closed = False
        self._writer = threading.Thread(target=self._write_loop, name="db-writer", daemon=True)
        self._writer.start()

    @classmethod
    def open(cls, path: Path, recorder: QueryRecorder, memory_mb: int = 1024, threads: int = 2) -> Database:
        """Open or create the file at ``path`` and bring its schema up to date.

        Raises:
            DatabaseLocked: another process has it open.
            StorageError: it cannot be opened, or was written by a newer version.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connect(path, memory_mb, threads)
        try:
            migrate(connection, load_migrations())
        except BaseException:
            connection.close()
            raise
        return cls(connection, recorder)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session of its own to one reader."""
        if self._closed:
            raise ServiceClosed("The database has been closed.")
        cursor = self._connection.cursor()
        try:
            yield Session(cursor, self._queries, self._recorder)
        finally:
            cursor.close()

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in the writer's next transaction; return its result once that is committed.

        ``work`` may run twice (again alone, if another's fails in the same transaction), so it must have no
        effect but through its session.

        Raises:
            ServiceClosed: the database has been closed.
            StorageError: the disk or the database refused.
        """
        done: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise ServiceClosed("The database has been closed.")
            self._writes.put((work, done))
        return done.result()

    def close(self) -> None:
        """Finish the writes that wait, checkpoint and close; a second call does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._writes.put(None)
        self._writer.join()
        self._connection.close()

    def _write_loop(self) -> None:
        cursor = self._connection.cursor()
        session = Session(cursor, self._queries, self._recorder)
        dirty = running = True
        while running:
            try:
                batch = [self._writes.get(timeout=IDLE_SECONDS if dirty else None)]
            except queue.Empty:
                dirty = not _checkpoint(cursor)
                continue
            while len(batch) < MAX_BATCH and not self._writes.empty():
                batch.append(self._writes.get())
            running = None not in batch
            _commit_all(cursor, session, [item for item in batch if item])
            dirty = True
        _checkpoint(cursor)
        cursor.close()


def _commit_all(
    cursor: Any, session: Session, batch: list[tuple[Callable[[Session], Any], Future[Any]]]
) -> None:
    """Commit the batch together; where one fails, each alone, so that only the guilty one hears of it."""
    try:
        cursor.begin()
        results = [work(session) for work, _ in batch]
        cursor.commit()
    except Exception as error:  # whatever a closure raises belongs to its caller, not to this thread
        _roll_back(cursor)
        if len(batch) == 1:
            batch[0][1].set_exception(_translated(error))
            return
        for item in batch:
            _commit_all(cursor, session, [item])
        return
    for (_, done), result in zip(batch, results, strict=True):
        done.set_result(result)


def _roll_back(cursor: Any) -> None:
    try:
        cursor.rollback()
    except duckdb.Error:
        log.debug("event=db.rollback_refused", exc_info=True)  # a failed COMMIT has already rolled back


def _checkpoint(cursor: Any) -> bool:
    try:
        cursor.execute("CHECKPOINT")
    except duckdb.Error as error:  # a reader's open stream refuses it; the next idle moment tries again
        log.warning("event=db.checkpoint_refused reason=%s", type(error).__name__)
        return False
    return True


def _translated(error: Exception) -> Exception:
    if isinstance(error, duckdb.Error):
        log.error("event=db.write_failed", exc_info=error)
        return StorageError("The database refused to save. Look whether the disk is full, then try again.")
    return error


def _connect(path: Path, memory_mb: int, threads: int) -> Any:
    config: dict[str, Any] = {
        "memory_limit": f"{memory_mb}MB",
        "threads": str(threads),
        "temp_directory": str(path.parent / "tmp" / "duckdb"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
    }
    try:
        connection = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        raise _unopened(path, error) from error
    # The default of 50 rows would send a page of 100 through a full sort of wide rows.
    connection.execute("SET late_materialization_max_rows = 200")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _unopened(path: Path, error: duckdb.Error) -> StorageError:
    holder = re.search(r"PID (\d+)", str(error))
    if holder or "lock" in str(error):
        by = f" (process {holder[1]})" if holder else ""
        return DatabaseLocked(f"Spheroscope is already running on {path.parent}{by}. Stop it first.")
    return StorageError(f"The database {path.name} cannot be opened: {error}")


def migrate(connection: Any, steps: tuple[Migration, ...]) -> None:
    """Apply the steps that are pending; each and its record share one transaction.

    Raises:
        StorageError: the file has steps that this version does not know.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER, name VARCHAR, applied_at TIMESTAMP)"
    )
    applied = connection.execute("SELECT coalesce(max(number), 0) FROM migration").fetchone()[0]
    if applied > len(steps):
        raise StorageError("This data folder was written by a newer Spheroscope. Update this one first.")
    for step in steps[applied:]:
        connection.begin()
        try:
            connection.execute(step.text)
            connection.execute(
                "INSERT INTO migration VALUES (?, ?, current_localtimestamp())", [step.number, step.name]
            )
            connection.commit()
        except duckdb.Error:
            connection.rollback()
            raise
