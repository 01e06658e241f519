"""A search that takes too long is stopped, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.db import Database
from core.db.query_timeout import QueryTimeout
from core.errors import SearchTooSlow
from core.monitoring import QueryRecorder

pytestmark = pytest.mark.slow

HEAVY = (
    "SELECT count(*) AS n FROM range(100000) AS a, range(100000) AS b WHERE (a.range * b.range) % 7 = $rest"
)
STREAMED = "SELECT range AS n FROM range(100000)"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "db.duckdb", QueryRecorder(), timeout_ms=300)
    opened._queries |= {"test.heavy": HEAVY, "test.light": "SELECT 1 AS n", "test.streamed": STREAMED}
    yield opened
    opened.close()


def test_a_heavy_search_is_stopped_and_says_what_to_do(db: Database) -> None:
    with pytest.raises(SearchTooSlow, match=r"longer than 0\.3 s and was stopped\. Narrow the search"):
        _ask(db, "test.heavy", {"rest": 1})
    with db.read() as session:
        assert session.rows("test.light") == [{"n": 1}]


def test_a_statement_that_is_explained_is_stopped_as_well(db: Database) -> None:
    with pytest.raises(SearchTooSlow), db.read() as session:
        session.explain("test.heavy", {"rest": 1})


def test_others_are_answered_meanwhile(db: Database) -> None:
    with ThreadPoolExecutor(1) as pool:
        heavy = pool.submit(_ask, db, "test.heavy", {"rest": 1})
        answers = 0
        while not heavy.done():
            assert _ask(db, "test.light") == [{"n": 1}]
            answers += 1
        with pytest.raises(SearchTooSlow):
            heavy.result()
    assert answers > 1


def test_a_stream_may_take_its_time(db: Database) -> None:
    with db.read() as session:
        chunks = session.stream("test.streamed", {})
        first = next(chunks)
        threading.Event().wait(0.5)  # the reader's time, and longer than a search may take
        assert len(first) + sum(len(chunk) for chunk in chunks) == 100_000


def test_writes_and_whole_tables_are_not_watched(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(_: QueryTimeout, cursor: object) -> None:
        raise AssertionError(f"{cursor} is watched")

    monkeypatch.setattr(QueryTimeout, "watch", watch)
    assert db.write(lambda session: session.rows("test.light")) == [{"n": 1}]
    with db.read() as session:
        assert session.frame("test.light", {}).rows() == [(1,)]
        with pytest.raises(AssertionError, match="is watched"):
            session.rows("test.light")


def test_without_a_limit_nothing_watches(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "other.duckdb", QueryRecorder())
    assert "db-timeout" not in {thread.name for thread in threading.enumerate()}
    db.close()


def test_closing_ends_the_thread(tmp_path: Path) -> None:
    Database.open(tmp_path / "other.duckdb", QueryRecorder(), timeout_ms=1000).close()
    assert "db-timeout" not in {thread.name for thread in threading.enumerate()}


def _ask(db: Database, name: str, values: dict[str, object] | None = None) -> list[dict[str, object]]:
    with db.read() as session:
        return session.rows(name, values)
