"""A session runs the named statements of ``sql/`` on one cursor, in one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import polars as pl

from core.monitoring import QueryRecorder

Row = dict[str, Any]
ExecutedStatement = tuple[str, list[Row]]  # a statement's name and the rows that it returned


class Session:
    """Statements by name on one cursor, each recorded with its duration. For one thread only."""

    def __init__(
        self,
        cursor: Any,
        queries: dict[str, str],
        recorder: QueryRecorder,
        watch: Callable[[Any], AbstractContextManager[None]] = nullcontext,
        appenders: dict[str, Any] | None = None,
    ) -> None:
        """``watch(cursor)`` is entered while a statement runs that has to respect the query timeout.

        ``appenders`` holds the cursor's appenders by name: making one takes as long as using it.
        """
        self._cursor = cursor
        self._queries = queries
        self._recorder = recorder
        self._watch = watch
        self._appenders = {} if appenders is None else appenders
        self.executed: list[ExecutedStatement] = []  # for commit hooks

    def rows(self, name: str, values: Row | None = None, **parts: str) -> list[Row]:
        """Run the statement ``name`` with ``values`` bound; return its rows.

        ``parts`` fill {braces} in the statement's text (a sort order, say) and must come from the program,
        never from a user.
        """
        text = self._queries[name]
        if parts:
            text = text.format(**parts)
        start = time.perf_counter()
        with self._watch(self._cursor):
            self._cursor.execute(text, values or {})
            names = [column[0] for column in self._cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]
        self._recorder.record(name, (time.perf_counter() - start) * 1000, len(rows))
        self.executed.append((name, rows))
        return rows

    def change(self, name: str, values: Row, changed_row: Row, **parts: str) -> bool:
        """Run the statement ``name``, which changes one row or none and returns none; whether it changed one.

        Commit hooks get ``changed_row`` as its row: RETURNING would cost as much again as the change.
        """
        changed = bool(self.rows(name, values, **parts)[0]["Count"])
        self.executed[-1] = (name, [changed_row] if changed else [])
        return changed

    def one(self, name: str, values: Row | None = None) -> Row | None:
        """Run the statement ``name``; return its first row, or None."""
        rows = self.rows(name, values)
        return rows[0] if rows else None

    def rows_from(self, name: str, frame: pl.DataFrame, values: Row | None = None) -> list[Row]:
        """Run the statement ``name``, in which the table ``incoming`` is ``frame``."""
        self._cursor.register("incoming", frame)
        rows = self.rows(name, values)
        self._cursor.unregister("incoming")  # not after an error: the rollback has unregistered it already
        return rows

    def append(self, name: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add ``rows``, with one value for each of ``columns``, to ``table``; recorded as ``name``.

        For 150 rows this takes a seventh of the time of a statement with a frame.
        """
        start = time.perf_counter()
        if name not in self._appenders:
            self._appenders[name] = self._cursor.appender(table, columns=list(columns))
        appender = self._appenders[name]
        try:
            appender.append_rows(rows)
            appender.flush()
        except BaseException:
            appender.clear()  # or the next transaction would add what this one could not
            raise
        self._recorder.record(name, (time.perf_counter() - start) * 1000, len(rows))

    def explain(self, name: str, values: Row, **parts: str) -> str:
        """Run the statement ``name``; return DuckDB's profile of it as JSON. It is not recorded.

        Only for statements that read: any other one would make its changes.
        """
        text = self._queries[name].format(**parts) if parts else self._queries[name]
        with self._watch(self._cursor):
            self._cursor.execute(f"EXPLAIN (ANALYZE, FORMAT json) {text}", values)
            return str(self._cursor.fetchall()[0][1])

    def frame(self, name: str, values: Row, **parts: str) -> pl.DataFrame:
        """Run the statement ``name`` with ``parts`` as in ``rows``; return its rows as a frame."""
        start = time.perf_counter()
        result: pl.DataFrame = self._cursor.sql(self._queries[name].format(**parts), params=values).pl()
        self._recorder.record(name, (time.perf_counter() - start) * 1000, len(result))
        return result

    def stream(self, name: str, values: Row, size: int = 2000, **parts: str) -> Iterator[list[Row]]:
        """Run the statement ``name`` with ``parts`` as in ``rows``; yield its rows ``size`` at a time.

        Recorded when it ends or is closed, with the database's time only, not the reader's.
        """
        total, ms, start = 0, 0.0, time.perf_counter()
        try:
            text = self._queries[name]
            self._cursor.execute(text.format(**parts) if parts else text, values)
            names = [column[0] for column in self._cursor.description]
            while chunk := self._cursor.fetchmany(size):
                total += len(chunk)
                rows = [dict(zip(names, row, strict=True)) for row in chunk]
                ms += (time.perf_counter() - start) * 1000
                yield rows
                start = time.perf_counter()
        finally:
            self._recorder.record(name, ms, total)
