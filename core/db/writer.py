"""The writer thread: runs the writes that wait in one transaction and answers each caller after COMMIT."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import duckdb

from core.db.commit_counter import CommitCounter
from core.db.failures import translated
from core.db.session import ExecutedStatement, Session
from core.errors import StorageError

log = logging.getLogger(__name__)
CommitHook = Callable[[Session, Sequence[ExecutedStatement]], AbstractContextManager[None]]

MAX_BATCH = 64
IDLE_SECONDS = 5.0  # after which the write-ahead log is folded into the file


@dataclass(frozen=True, slots=True)
class Write:
    """A function for the writer thread, and the future of its result."""

    work: Callable[[Session], Any]
    future: Future[Any]
    reads_only: bool = False


class Writer:
    """One thread with one cursor. ``put`` and ``close`` are called under the database's lock."""

    def __init__(
        self,
        open_cursor: Callable[[], Any],
        reopen: Callable[[], None],
        open_session: Callable[[Any, dict[str, Any]], Session],
        commit_counter: CommitCounter,
    ) -> None:
        """Start the thread.

        ``reopen`` opens the file again after DuckDB has given it up. ``open_session`` gets a cursor and the
        appenders that belong to it.
        """
        self._open_cursor = open_cursor
        self._reopen = reopen
        self._open_session = open_session
        self._commit_counter = commit_counter
        self._writes: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self.hooks: tuple[CommitHook, ...] = ()
        self.generation = time.time_ns()  # never the same again after a restart
        self.thread = threading.Thread(target=self._loop, name="db-writer", daemon=True)
        self.thread.start()

    def put(self, write: Write) -> None:
        """Queue a write."""
        self._writes.put(write)

    def close(self) -> None:
        """Let the thread end once it has done what waits."""
        self._writes.put(None)

    @property
    def waiting(self) -> int:
        """Number of writes that have not begun."""
        return self._writes.qsize()

    def _loop(self) -> None:
        self._prepare()
        dirty = True
        while True:
            try:
                first = self._writes.get(timeout=IDLE_SECONDS if dirty else None)
            except queue.Empty:
                dirty = not self.checkpoint()
                continue
            if first is None:
                break
            self._commit_all([first], self._next_waiting)
            dirty = True
        self.checkpoint()
        self._cursor.close()

    def _prepare(self) -> None:
        """Open a cursor. What every commit executes is prepared: planning it takes ten times as long."""
        self._cursor = self._open_cursor()
        self._appenders: dict[str, Any] = {}
        self._cursor.execute("PREPARE count_commit AS SELECT nextval('commits')")

    def _next_waiting(self) -> Write | None:
        if self._writes.empty():
            return None
        write = self._writes.get()
        if write is None:  # close() was called: nothing comes after it
            self._writes.put(None)
        return write

    def _commit_all(self, batch: list[Write], next_write: Callable[[], Write | None] = lambda: None) -> None:
        """Commit the batch together; if one fails, each alone, so that only that one gets the error.

        What ``next_write`` returns while the batch runs joins it, up to MAX_BATCH.
        """
        session = self._open_session(self._cursor, self._appenders)
        try:
            self._cursor.begin()
            results = []
            for write in batch:  # which grows meanwhile
                results.append(write.work(session))
                if len(results) == len(batch) < MAX_BATCH and (joining := next_write()):
                    batch.append(joining)
            if all(write.reads_only for write in batch):
                self._cursor.rollback()
            else:
                self._commit(session)
        except BaseException as error:  # whatever a function raises is its caller's, not this thread's
            self._recover(error)
            if len(batch) == 1:
                batch[0].future.set_exception(translated(error, "The database refused to save."))
                return
            for write in batch:
                self._commit_all([write])
            return
        for write, result in zip(batch, results, strict=True):
            write.future.set_result(result)

    def _commit(self, session: Session) -> None:
        """COMMIT with the hooks around it. It raises only if nothing was committed."""
        # All rows are fetched: a result half read would keep the cursor busy.
        commits = self._cursor.execute("EXECUTE count_commit").fetchall()[0][0]
        entered: list[AbstractContextManager[None]] = []
        failure: BaseException | None = None
        try:
            for hook in self.hooks:
                context = hook(session, session.executed)
                context.__enter__()
                entered.append(context)
            self._cursor.commit()
        except BaseException as error:
            failure = error
            raise
        finally:
            for context in reversed(entered):
                _leave(context, failure)
        # Before any caller has its result: a caller must not be served what was read before its write.
        self.generation += 1
        self._commit_counter.save(commits)

    def checkpoint(self) -> bool:
        """Fold the write-ahead log into the file; False if an open cursor or the disk refuses it."""
        try:
            self._cursor.execute("CHECKPOINT")
        except duckdb.Error as error:  # a reader's open stream refuses it; the next idle moment tries again
            log.warning("event=db.checkpoint_refused reason=%s", type(error).__name__)
            self._recover(error)
            return False
        return True

    def _recover(self, error: BaseException) -> None:
        """Make the cursor fit for the next transaction."""
        try:
            self._cursor.rollback()
        except duckdb.Error:
            log.debug("event=db.rollback_refused", exc_info=True)  # a failed COMMIT has already rolled back
        if not isinstance(error, duckdb.FatalException | duckdb.ConnectionException):
            return
        # A disk full during a checkpoint invalidates the database until its last cursor is closed; nothing
        # committed is lost. If it does not open now, the next write or idle moment tries again.
        log.error("event=db.invalidated", exc_info=error)
        self._cursor.close()
        try:
            self._reopen()
            self._prepare()
        except (StorageError, duckdb.Error):
            log.exception("event=db.reopen_refused")


def _leave(context: AbstractContextManager[None], failure: BaseException | None) -> None:
    """Leave a hook. What it raises itself is logged: the transaction has already ended."""
    try:
        context.__exit__(type(failure) if failure else None, failure, None)
    except BaseException as error:
        if error is not failure:
            log.exception("event=db.commit_hook_failed")
