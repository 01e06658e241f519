"""Tables on their way: read at the database's speed, taken at the client's, and nothing held by who left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.db import Database
from core.errors import ServiceClosed, StorageError
from core.export import Spool, objects_csv
from tests.http.lab import Lab, disc
from tests.polling import wait_until


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as opened:
        yield opened


class Source:
    """Pieces that know whether they have been closed; the writer waits before each but the first."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.closed = False
        self.go_on = threading.Semaphore(1)
        self._count = count
        self._error = error

    def pieces(self) -> Iterator[str]:
        try:
            for number in range(self._count):
                assert self.go_on.acquire(timeout=10)
                yield f"{number},µ\r\n"
            if self._error:
                raise self._error
        finally:
            self.closed = True


def spool_of(source: Source, folder: Path, left_free: int = 0) -> Spool:
    return Spool(source.pieces(), folder, left_free, lambda spool: None)  # type: ignore[arg-type]


def test_a_reader_follows_behind_the_writer(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    source = Source(3)
    spool = spool_of(source, tmp_path).start(pool)
    reading = spool.read()
    assert next(reading).decode() == "0,µ\r\n"
    source.go_on.release(2)
    assert b"".join(reading).decode() == "1,µ\r\n2,µ\r\n"
    assert source.closed
    spool.close()
    assert not list(tmp_path.iterdir()), "the file never had a name"


def test_the_source_is_closed_long_before_a_slow_reader_is_done(
    pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    source = Source(1000)
    source.go_on.release(1000)
    spool = spool_of(source, tmp_path).start(pool)
    wait_until(lambda: source.closed)
    assert len(b"".join(spool.read()).splitlines()) == 1000
    spool.close()


def test_who_leaves_early_stops_the_writer(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    source = Source(10**9)
    spool = spool_of(source, tmp_path).start(pool)
    spool.close()
    spool.close()
    source.go_on.release(2)
    wait_until(lambda: source.closed)
    with pytest.raises(ServiceClosed):
        next(spool.read())


def test_what_fails_at_once_is_raised_at_once(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No"):
        spool_of(Source(0, StorageError("No.")), tmp_path).start(pool)


def test_what_fails_later_never_passes_for_the_end(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    spool = spool_of(Source(1, StorageError("No.")), tmp_path).start(pool)
    reading = spool.read()
    assert next(reading)
    with pytest.raises(StorageError, match="No"):
        next(reading)
    spool.close()


def test_the_disk_is_never_filled(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="too full"):
        spool_of(Source(1), tmp_path, left_free=2**60).start(pool)


def test_an_executor_that_was_shut_down_is_said_to_be(tmp_path: Path) -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(ServiceClosed):
        spool_of(Source(1), tmp_path).start(pool)


def test_twenty_readers_that_take_nothing_hold_no_cursor(
    lab: Lab, db: Database, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), *(disc(number) for number in range(1, 3000)))
    spools = [
        Spool(objects_csv(lab.store.results.objects(project.id, 10**6)), tmp_path, 0, lambda spool: None)
        for _ in range(20)
    ]
    for spool in spools:
        spool.start(pool)
    lab.project("written meanwhile")
    wait_until(db._writer.checkpoint, 30, "a checkpoint, which an open cursor would refuse")
    for spool in spools:
        assert b"".join(spool.read()).count(b"\r\n") == 3000
        spool.close()
