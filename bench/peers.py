"""The other databases that a table of images could stand on, with the indexes that their users would give
them.

Both hold the same rows as the lab's DuckDB file, the columns of the table only, and are asked for a page's
rows only, not for the number of rows. PostgreSQL is measured where ``initdb`` and ``postgres`` are found:
a throw-away cluster is made in a temporary folder, as another user where this one is root, which
PostgreSQL refuses to run as.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bench.lab import Lab

COLUMNS = (
    "id, project_id, name, name_key, status, error_code, error, n_objects, largest_diameter_px, "
    "largest_area_px, largest_circularity, um_per_px, um_per_px_source, width, height, bit_depth, "
    "created_at, seconds, version_id, diameter_um"
)
_CHUNK = 50_000
_COLUMN_OF = {"created": "created_at", "name": "name_key", "status": "status", "diameter": "diameter_um"}


@dataclass(frozen=True, slots=True)
class Request:
    """One page that somebody wants."""

    project_id: str
    sort: str = "-created"
    status: str | None = None
    name: str | None = None
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Finished:
    """A result to commit: one image's row changes, and objects come."""

    image_id: str
    project_id: str
    diameter: float


class SqlPeer:
    """What SQLite and PostgreSQL have in common: a connection a thread, the same statements."""

    mark = "?"
    connect: Any

    def __init__(self) -> None:
        self._reader = self.connect()
        self._writers: dict[int, Any] = {}

    def page(self, request: Request) -> Sequence[object]:
        """The rows of one page."""
        way = "DESC NULLS LAST" if request.sort.startswith("-") else "ASC NULLS LAST"
        column = _COLUMN_OF[request.sort.removeprefix("-")]
        if column != "diameter_um":
            way = way.removesuffix(" NULLS LAST")  # there are none, and without saying so an index is used
        conditions, values = f"project_id = {self.mark}", [request.project_id]
        if request.status is not None:
            conditions += f" AND status = {self.mark}"
            values.append(request.status)
        if request.name is not None:
            conditions += f" AND name_key LIKE {self.mark} ESCAPE '!'"
            values.append("%" + request.name.lower().replace("_", "!_") + "%")
        order = f"{column} {way}, id {way.split()[0]}"
        text = f"SELECT {COLUMNS} FROM image WHERE {conditions} ORDER BY {order} LIMIT {request.limit}"
        return list(self._reader.execute(f"{text} OFFSET {request.offset}", values).fetchall())

    def commit(self, finished: Finished) -> None:
        """Save one result durably, as the app does."""
        connection = self._writers.get(threading.get_ident())
        if connection is None:
            connection = self._writers[threading.get_ident()] = self.connect()
        m = self.mark
        connection.execute(self.begin)
        connection.execute(
            f"UPDATE image SET status = 'done', n_objects = 3, largest_diameter_px = {m}, diameter_um = {m}, "
            f"seconds = 0.2 WHERE id = {m}",
            (finished.diameter, finished.diameter * 0.65, finished.image_id),
        )
        for number in (1, 2, 3):
            connection.execute(
                f"INSERT INTO object VALUES ({m}, {m}, {m}, {m})",
                (finished.image_id, number, finished.diameter, finished.diameter),
            )
        connection.execute("COMMIT")

    begin = "BEGIN"

    def close(self) -> None:
        for connection in (self._reader, *self._writers.values()):
            connection.close()


INDEXES = (
    "CREATE INDEX by_created ON image (project_id, created_at DESC, id DESC)",
    "CREATE INDEX by_name ON image (project_id, name_key, id)",
    "CREATE INDEX by_status ON image (project_id, status, id)",
    "CREATE INDEX by_status_created ON image (project_id, status, created_at DESC, id DESC)",
    "CREATE INDEX by_diameter ON image (project_id, diameter_um DESC{nulls}, id DESC)",
)
_TABLES = (
    "CREATE TABLE image (id {text} PRIMARY KEY, project_id {text}, name {text}, name_key {text}, "
    "status {text}, error_code {text}, error {text}, n_objects INTEGER, "
    "largest_diameter_px {real}, largest_area_px {real}, "
    "largest_circularity {real}, um_per_px {real}, um_per_px_source {text}, width INTEGER, height INTEGER, "
    "bit_depth INTEGER, created_at {time}, seconds {real}, version_id {text}, diameter_um {real})",
    "CREATE TABLE object (image_id {text}, number INTEGER, area {real}, equivalent_diameter {real})",
)


class Sqlite(SqlPeer):
    """SQLite with write-ahead log, synced at every commit."""

    begin = "BEGIN IMMEDIATE"

    def __init__(self, path: Path, lab: Lab) -> None:
        self._path = path
        loader = self.connect()
        for text in _TABLES:
            loader.execute(text.format(text="TEXT", real="REAL", time="TEXT"))
        loader.execute("BEGIN")
        for chunk in _rows(lab):
            marks = ", ".join("?" * len(chunk[0]))
            loader.executemany(f"INSERT INTO image VALUES ({marks})", chunk)
        loader.execute("COMMIT")
        for text in INDEXES:
            loader.execute(text.format(nulls=""))
        loader.execute("ANALYZE")
        loader.close()
        super().__init__()

    def connect(self) -> sqlite3.Connection:  # type: ignore[override]
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "cache_size = -200000",
            "mmap_size = 2000000000",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        return connection


class Postgres(SqlPeer):
    """PostgreSQL over a Unix socket, with memory for everything."""

    mark = "%s"

    def __init__(self, address: str, lab: Lab) -> None:
        import psycopg  # noqa: PLC0415 - only where PostgreSQL is

        self._psycopg = psycopg
        self._address = address
        loader = self.connect()
        for text in _TABLES:
            loader.execute(text.format(text='TEXT COLLATE "C"', real="DOUBLE PRECISION", time="TIMESTAMP"))
        with loader.cursor().copy(f"COPY image ({COLUMNS}) FROM STDIN") as copy:
            for chunk in _rows(lab):
                for row in chunk:
                    copy.write_row(row)
        for text in INDEXES:
            loader.execute(text.format(nulls=" NULLS LAST"))
        loader.execute("VACUUM ANALYZE")
        loader.close()
        super().__init__()

    def connect(self) -> Any:  # type: ignore[override]
        return self._psycopg.connect(self._address, autocommit=True)


@contextmanager
def postgres_server() -> Iterator[str | None]:
    """A throw-away PostgreSQL and how to connect to it; None where none is installed."""
    tools = _tools()
    if tools is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
    user = _other_user()
    data = folder / "data"
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        known = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        subprocess.run(
            [tools / "initdb", "-D", data, "-U", "bench", "--auth=trust", "--locale=C", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd=folder,
            **known,
        )
        options = {"listen_addresses": "", "unix_socket_directories": folder, "shared_buffers": "1GB"}
        options |= {"effective_cache_size": "4GB", "work_mem": "64MB", "max_wal_size": "4GB"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        server = subprocess.Popen(
            [tools / "postgres", "-D", data, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **known,
        )
        try:
            _await_socket(folder, server)
            yield f"host={folder} user=bench dbname=postgres"
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await_socket(folder: Path, server: subprocess.Popen[bytes]) -> None:
    import psycopg  # noqa: PLC0415

    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError("PostgreSQL ended at its start")
        try:
            psycopg.connect(f"host={folder} user=bench dbname=postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("PostgreSQL does not answer")


def _tools() -> Path | None:
    server = shutil.which("postgres")
    if server is None or shutil.which("initdb") is None:
        return None
    return Path(server).resolve().parent


def _other_user() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _rows(lab: Lab) -> Iterator[list[tuple[Any, ...]]]:
    """The table's rows in the order that they came."""
    connection = duckdb.connect(str(lab.path), read_only=True)
    try:
        columns = COLUMNS.replace("status", "status::VARCHAR AS status").replace(
            "um_per_px_source", "um_per_px_source::VARCHAR AS um_per_px_source"
        )
        columns = columns.replace("created_at", "created_at::VARCHAR AS created_at")
        columns = columns.replace("name_key", "lower(name) AS name_key")
        columns = columns.replace("diameter_um", "largest_diameter_px * um_per_px AS diameter_um")
        connection.execute(f"SELECT {columns} FROM image WHERE deleted_at IS NULL")
        while chunk := connection.fetchmany(_CHUNK):
            yield chunk
    finally:
        connection.close()
