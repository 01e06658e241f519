"""The one DuckDB file: opened, migrated, read by a cursor a call, written by one thread.

A connection shared by threads gives wrong answers (measured), so every read takes a fresh cursor. Writes are
closures handed to one writer thread, which puts what is waiting into one transaction and answers each caller
after COMMIT: no conflicts, one fsync for many results.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from core.db.commit_counter import CommitCounter
from core.db.connection import connect
from core.db.query_timeout import QueryTimeout
from core.db.session import ExecutedStatement, Row, Session
from core.db.statements import MIGRATIONS, load_queries
from core.errors import ServiceClosed, StorageError
from core.monitoring import QueryRecorder

log = logging.getLogger(__name__)
T = TypeVar("T")
Write = tuple[Callable[[Session], Any], Future[Any]]
CommitHook = Callable[[Session, Sequence[ExecutedStatement]], AbstractContextManager[None]]

__all__ = ["Database", "Row", "Session"]

MAX_BATCH = 64
IDLE_SECONDS = 5.0  # after which the write-ahead log is folded into the file


class Database:
    """An open database file. Any thread may call ``read`` and ``write``."""

    def __init__(
        self,
        connect: Callable[[], Any],
        recorder: QueryRecorder,
        journal: CommitCounter,
        timeout_ms: float | None,
    ) -> None:
        self._connect = connect
        self._connection = connect()
        self._journal = journal
        self.lost_commits = self._audited()
        self._watchdog = QueryTimeout(timeout_ms)
        self._recorder = recorder
        self._queries = load_queries()
        self._writes: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # a connection that is being closed or replaced gives no cursors
        self._closed = False
        self._generation = time.time_ns()  # never the same again after a restart
        self._followers: tuple[CommitHook, ...] = ()
        self._writer = threading.Thread(target=self._write_loop, name="db-writer", daemon=True)
        self._writer.start()

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

        A reader's statement that takes longer than ``timeout_ms`` is stopped, but for those that stream or
        load a whole table. ``schema`` is the folder of the steps that make it, and of its views.

        Raises:
            DatabaseLocked: another process has it open.
            StorageError: it cannot be opened, or was written by a newer version.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
        journal = CommitCounter(path.with_suffix(".commits"))
        return cls(lambda: connect(path, memory_mb, threads, schema), recorder, journal, timeout_ms)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session of its own to one reader.

        Raises:
            ServiceClosed: the database has been closed.
            StorageError: the disk or the database refused.
            SearchTooSlow: a statement took longer than it may.
        """
        with self._lock:
            if self._closed:
                raise ServiceClosed("The database has been closed.")
            try:
                cursor = self._connection.cursor()
            except duckdb.ConnectionException as error:
                raise StorageError("The database could not be opened again. Look at the disk.") from error
        try:
            yield Session(cursor, self._queries, self._recorder, self._watchdog.watching)
        except duckdb.InterruptException as error:
            raise self._watchdog.stopped() from error
        except duckdb.Error as error:
            told = _translated(error, "The database cannot be read.")
            if told is error:
                raise
            raise told from error
        finally:
            cursor.close()

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._closed

    @property
    def generation(self) -> int:
        """How many transactions have been committed since the start: equal means that nothing changed."""
        return self._generation

    @property
    def writes_waiting(self) -> int:
        """How many writes have not begun."""
        return self._writes.qsize()

    def follow(self, follower: CommitHook) -> None:
        """Have ``follower`` come along with every transaction from now on, on the writer's thread.

        It is given the transaction's session and the statements that ran with the rows they gave. What it
        returns is entered before COMMIT and left after it, with the error if that fails; only then do the
        callers hear. It must not raise of its own.
        """
        self._followers += (follower,)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in the writer's next transaction; return its result once that is committed.

        ``work`` may run twice (again alone, if another's fails in the same transaction), so it must have no
        effect but through its session.

        Raises:
            ServiceClosed: the database has been closed.
            StorageError: the disk or the database refused.
        """
        if threading.current_thread() is self._writer:
            raise RuntimeError("a write within a write would wait for itself")
        return self.begin(work).result()

    def begin(self, work: Callable[[Session], T]) -> Future[T]:
        """As ``write``, without waiting for it; what the disk or the database refuse is the future's.

        Raises:
            ServiceClosed: the database has been closed.
        """
        done: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise ServiceClosed("The database has been closed.")
            self._writes.put((work, done))
        return done

    def close(self) -> None:
        """Finish the writes that wait, checkpoint and close; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._writes.put(None)
        self._writer.join()
        self._watchdog.close()
        with self._lock:
            self._connection.close()

    def _audited(self) -> int:
        """How many commits the journal knows of that the file has not, because its log was damaged."""
        query = "SELECT coalesce(last_value, 0) FROM duckdb_sequences() WHERE sequence_name = 'commits'"
        there = int(self._connection.execute(query).fetchall()[0][0])
        lost = max(0, self._journal.noted() - there)
        if lost:
            log.error("event=db.commits_lost commits=%d", lost)
            self._journal.note(there)
        return lost

    def _write_loop(self) -> None:
        self._cursor = self._writing()
        dirty = True
        while True:
            try:
                first = self._writes.get(timeout=IDLE_SECONDS if dirty else None)
            except queue.Empty:
                dirty = not self._checkpoint()
                continue
            if first is None:
                break
            self._commit_all([first], self._waiting)
            dirty = True
        self._checkpoint()
        self._cursor.close()

    def _writing(self) -> Any:
        """A cursor for the writer. What every commit asks is prepared: planning takes ten times as long."""
        cursor = self._connection.cursor()
        self._appenders: dict[str, Any] = {}
        cursor.execute("PREPARE count_commit AS SELECT nextval('commits')")
        return cursor

    def _waiting(self) -> Write | None:
        """The next write, if one waits."""
        if self._writes.empty():
            return None
        item = self._writes.get()
        if item is None:  # the end: nothing comes behind it
            self._writes.put(None)
        return item

    def _commit_all(self, batch: list[Write], more: Callable[[], Write | None] = lambda: None) -> None:
        """Commit the batch together; where one fails, each alone, so that only the guilty one hears of it.

        What ``more`` gives while the others are at work joins them, until there are MAX_BATCH.
        """
        session = Session(self._cursor, self._queries, self._recorder, appenders=self._appenders)
        try:
            self._cursor.begin()
            results = []
            for work, _ in batch:  # which grows meanwhile
                results.append(work(session))
                if len(results) == len(batch) < MAX_BATCH and (joining := more()):
                    batch.append(joining)
            # All of it is fetched: a result half read would keep the cursor busy.
            commits = self._cursor.execute("EXECUTE count_commit").fetchall()[0][0]
            with ExitStack() as following:
                for follower in self._followers:
                    following.enter_context(follower(session, session.ran))
                self._cursor.commit()
        except BaseException as error:  # whatever a closure raises belongs to its caller, not to this thread
            self._recover(error)
            if len(batch) == 1:
                batch[0][1].set_exception(_translated(error, "The database refused to save."))
                return
            for item in batch:
                self._commit_all([item])
            return
        # Before the callers hear of it: who has heard must not be served what was read earlier.
        self._generation += 1
        self._journal.note(commits)
        for (_, done), result in zip(batch, results, strict=True):
            done.set_result(result)

    def _checkpoint(self) -> bool:
        try:
            self._cursor.execute("CHECKPOINT")
        except duckdb.Error as error:  # a reader's open stream refuses it; the next idle moment tries again
            log.warning("event=db.checkpoint_refused reason=%s", type(error).__name__)
            self._recover(error)
            return False
        return True

    def _recover(self, error: BaseException) -> None:
        """Make the writer fit for the next transaction."""
        try:
            self._cursor.rollback()
        except duckdb.Error:
            log.debug("event=db.rollback_refused", exc_info=True)  # a failed COMMIT has already rolled back
        if not isinstance(error, duckdb.FatalException | duckdb.ConnectionException):
            return
        # A disk full amid a checkpoint invalidates the database until its last cursor is closed; nothing
        # committed is lost. If it does not open now, the next write or idle moment tries again.
        log.error("event=db.invalidated", exc_info=error)
        with self._lock:
            self._cursor.close()
            self._connection.close()
            try:
                self._connection = self._connect()
                self._cursor = self._writing()
            except (StorageError, duckdb.Error):
                log.exception("event=db.reopen_refused")


def _translated(error: BaseException, what: str) -> BaseException:
    """What disk or memory are to blame for may pass; any other error of the database is a fault in here."""
    if isinstance(error, duckdb.OperationalError | duckdb.FatalException):
        log.error("event=db.failed", exc_info=error)
        return StorageError(f"{what} Look whether the disk is full, then try again.")
    return error
