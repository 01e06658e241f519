"""Tables in files: written once at the database's speed, kept for a while, never too many for the disk."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.db import Database
from core.errors import InvalidRequest, ServiceClosed, StorageError
from core.export import TableFiles, limited, objects_csv
from core.export.table_files import KEEP_SECONDS
from tests.http.lab import Lab, disc
from tests.polling import wait_until

STAY = threading.Event()  # of a client that does not leave


class Source:
    """Pieces that know whether they have been closed; each but the first waits to be let through."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.opened = 0
        self.closed = False
        self.go_on = threading.Semaphore(1)
        self._count = count
        self._error = error

    def pieces(self) -> Iterator[str]:
        self.opened += 1
        try:
            for number in range(self._count):
                assert self.go_on.acquire(timeout=10)
                yield f"{number},µ\r\n"
            if self._error:
                raise self._error
        finally:
            self.closed = True


def files_in(folder: Path, max_bytes: int = 2**30, left_free: int = 0) -> TableFiles:
    return TableFiles(folder / "tables", max_bytes, left_free)


def write(files: TableFiles, key: str, source: Source, gone: threading.Event = STAY) -> Path | None:
    return files.write(key, source.pieces, gone)  # type: ignore[arg-type]


def test_a_table_is_written_once_and_found_again(tmp_path: Path) -> None:
    files, source = files_in(tmp_path), Source(2)
    source.go_on.release()
    assert files.find("a") is None
    path = write(files, "a", source)
    assert path is not None
    assert path.read_text(encoding="utf-8") == "0,µ\n1,µ\n"
    assert (files.find("a"), files.find("b"), source.closed) == (path, None, True)


def test_what_a_former_run_left_is_deleted(tmp_path: Path) -> None:
    write(files_in(tmp_path), "a", Source(1))
    assert files_in(tmp_path).find("a") is None
    assert not list((tmp_path / "tables").iterdir())


def test_who_leaves_early_stops_the_writing(tmp_path: Path) -> None:
    files, source, gone = files_in(tmp_path), Source(10**9), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write, files, "a", source, gone)
        wait_until(lambda: source.opened == 1)
        gone.set()
        source.go_on.release(2)
        assert written.result(10) is None
    assert source.closed
    assert files.find("a") is None
    assert not list((tmp_path / "tables").iterdir())


def test_a_table_that_fails_leaves_nothing(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with pytest.raises(StorageError, match="No"):
        write(files, "a", Source(1, StorageError("No.")))
    assert files.find("a") is None
    assert not list((tmp_path / "tables").iterdir())


def test_the_disk_is_never_filled(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="too full"):
        write(files_in(tmp_path, left_free=2**60), "a", Source(1))


def test_the_oldest_are_swept_where_all_are_too_large_or_past_their_time(tmp_path: Path) -> None:
    files = files_in(tmp_path, max_bytes=12)  # two tables of five bytes
    for age, key in ((30, "a"), (20, "b"), (10, "c")):
        path = write(files, key, Source(1))
        assert path is not None
        os.utime(path, (time.time() - age, time.time() - age))
    files.sweep()
    assert files.find("a") is None
    path = files.find("b")  # whose time begins anew
    assert path is not None
    os.utime(tmp_path / "tables" / "c", (0, time.time() - KEEP_SECONDS - 1))
    files.sweep()
    assert (files.find("b"), files.find("c")) == (path, None)


def test_closing_stops_what_is_written_and_waits_for_it(tmp_path: Path) -> None:
    files, source = files_in(tmp_path), Source(10**9)
    with ThreadPoolExecutor(2) as pool:
        written = pool.submit(write, files, "a", source)
        wait_until(lambda: source.opened == 1)
        closing = pool.submit(files.close)
        wait_until(lambda: files._closed)
        assert not closing.done()
        source.go_on.release(2)
        closing.result(10)
        with pytest.raises(ServiceClosed):
            written.result(10)
    assert source.closed
    with pytest.raises(ServiceClosed):
        write(files, "a", Source(1))


def test_rows_that_became_more_than_the_limit_are_refused(lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1), disc(2), disc(3))
    assert len(list(limited(lab.store.results.objects(project.id, 4), 3))) == 3
    with pytest.raises(InvalidRequest, match="at most 2"):
        list(limited(lab.store.results.objects(project.id, 3), 2))


def test_tables_that_are_written_hold_no_cursor(lab: Lab, db: Database, tmp_path: Path) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), *(disc(number) for number in range(1, 3000)))
    files = files_in(tmp_path)
    for key in "abc":
        path = files.write(key, lambda: objects_csv(lab.store.results.objects(project.id, 10**6)), STAY)
        assert path is not None
        assert path.read_bytes().count(b"\r\n") == 3000
    lab.project("written meanwhile")
    wait_until(db._writer.checkpoint, 30, "a checkpoint, which an open cursor would refuse")
