"""The database file: opened and migrated, read through a cursor a call, written by one thread.

Every read takes a cursor of its own, since threads that share one get wrong answers (measured). Writes are
functions in a queue; the writer thread runs those that wait in one transaction and answers each caller after
COMMIT: no write conflicts, and one fsync for many results.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from core.db.commit_counter import CommitCounter
from core.db.connection import connect
from core.db.failures import translated
from core.db.query_timeout import QueryTimeout
from core.db.session import Row, Session
from core.db.statements import MIGRATIONS, load_queries
from core.db.writer import CommitHook, Write, Writer
from core.errors import ServiceClosed, StorageError
from core.monitoring import QueryRecorder

log = logging.getLogger(__name__)
T = TypeVar("T")

__all__ = ["Database", "Row", "Session"]


class Database:
    """An open database file. Any thread may call ``read`` and ``write``."""

    def __init__(
        self,
        connect: Callable[[], Any],
        recorder: QueryRecorder,
        commit_counter: CommitCounter,
        timeout_ms: float | None,
    ) -> None:
        self._connect = connect
        self._connection = connect()
        self.lost_commits = _count_lost_commits(self._connection, commit_counter)
        self._timeout = QueryTimeout(timeout_ms)
        self._recorder = recorder
        self._queries = load_queries()
        self._lock = threading.Lock()  # a connection that is being closed or replaced gives no cursors
        self._closed = False
        self._writer = Writer(self._open_cursor, self._reopen, self._writer_session, commit_counter)

    @classmethod
    def open(
        cls,
        path: Path,
        recorder: QueryRecorder,
        memory_mb: int = 1024,
        threads: int = 2,
        timeout_ms: float | None = None,
        schema: Path = MIGRATIONS,
    ) -> Database:
        """Open or create the file at ``path`` and bring its schema up to date.

        A statement of a reader is interrupted after ``timeout_ms``, unless it streams or loads a whole
        table. ``schema`` is the folder of the migrations and views.

        Raises:
            DatabaseLocked: another process has it open.
            StorageError: it cannot be opened, or was written by a newer version.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
        commit_counter = CommitCounter(path.with_suffix(".commits"))
        return cls(lambda: connect(path, memory_mb, threads, schema), recorder, commit_counter, timeout_ms)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give one reader a session with a cursor of its own.

        Raises:
            ServiceClosed: the database has been closed.
            DatabaseOutOfMemory: a statement needs more memory than DuckDB may take.
            StorageError: the disk or the database refused.
            SearchTooSlow: a statement ran into the timeout.
        """
        with self._lock:
            if self._closed:
                raise ServiceClosed("The database has been closed.")
            try:
                cursor = self._connection.cursor()
            except duckdb.ConnectionException as error:
                raise StorageError("The database could not be opened again. Look at the disk.") from error
        try:
            yield Session(cursor, self._queries, self._recorder, self._timeout.watch)
        except duckdb.InterruptException as error:
            raise self._timeout.error() from error
        except duckdb.Error as error:
            if (translated_error := translated(error, "The database cannot be read.")) is error:
                raise
            raise translated_error from error
        finally:
            cursor.close()

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._closed

    @property
    def generation(self) -> int:
        """A number that grows with every commit: equal numbers mean that nothing has changed."""
        return self._writer.generation

    @property
    def writes_waiting(self) -> int:
        """Number of writes that have not begun."""
        return self._writer.waiting

    def add_commit_hook(self, hook: CommitHook) -> None:
        """Register a commit hook; it runs on the writer thread around every COMMIT from now on.

        ``hook`` gets the transaction's session and the statements executed in it with the rows they
        returned. The context manager that it returns is entered before COMMIT, where an error fails the
        transaction, and left after COMMIT, with the error if that failed, before the callers get their
        results. An error on leaving is logged and changes nothing: the commit stands.
        """
        self._writer.hooks += (hook,)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in the writer's next transaction; return its result once that is committed.

        ``work`` may run twice (again alone, if another one fails in the same transaction), so it must have
        no effect but through its session.

        Raises:
            ServiceClosed: the database has been closed.
            DatabaseOutOfMemory: it needs more memory than DuckDB may take.
            StorageError: the disk or the database refused.
        """
        self._refuse_own_thread()
        return self.begin(work).result()

    def begin(self, work: Callable[[Session], T]) -> Future[T]:
        """As ``write``, without waiting: the future holds the result, or the error.

        Raises:
            ServiceClosed: the database has been closed.
        """
        return self._enqueue(work, reads_only=False)

    def read_on_writer(self, work: Callable[[Session], T]) -> T:
        """Run ``work``, which only reads, in its turn among the writes; it causes no commit of its own.

        Raises:
            As ``write``.
        """
        self._refuse_own_thread()
        return self._enqueue(work, reads_only=True).result()

    def close(self) -> None:
        """Finish the writes that wait, checkpoint and close; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._writer.close()
        self._writer.thread.join()
        self._timeout.close()
        with self._lock:
            self._connection.close()

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._writer.thread:
            raise RuntimeError("a write within a write would wait for itself")

    def _enqueue(self, work: Callable[[Session], T], reads_only: bool) -> Future[T]:
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise ServiceClosed("The database has been closed.")
            self._writer.put(Write(work, future, reads_only))
        return future

    def _writer_session(self, cursor: Any, appenders: dict[str, Any]) -> Session:
        return Session(cursor, self._queries, self._recorder, appenders=appenders)

    def _open_cursor(self) -> Any:
        return self._connection.cursor()

    def _reopen(self) -> None:
        with self._lock:
            self._connection.close()
            self._connection = self._connect()


def _count_lost_commits(connection: Any, commit_counter: CommitCounter) -> int:
    """Return how many commits were counted beside the file and are not in it, since its log was damaged."""
    query = "SELECT coalesce(last_value, 0) FROM duckdb_sequences() WHERE sequence_name = 'commits'"
    in_file = int(connection.execute(query).fetchall()[0][0])
    lost = max(0, commit_counter.load() - in_file)
    if lost:
        log.error("event=db.commits_lost commits=%d", lost)
        commit_counter.save(in_file)
    return lost
