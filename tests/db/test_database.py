"""The database: migrated, locked, read by many, written by one, and alive after a disk that was full."""

from __future__ import annotations

import itertools
import random
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest

from core.clock import utc_now
from core.db import Database, Session
from core.db.session import ExecutedStatement
from core.db.statements import load_migrations, load_queries
from core.db.writer import MAX_BATCH, CommitHook
from core.errors import DatabaseLocked, DatabaseOutOfMemory, NotFound, ServiceClosed, StorageError
from core.listing.image_table import ENUM_CODES, SELECT_LIST
from core.monitoring import QueryRecorder
from core.store import Store
from tests.polling import wait_until

ROOT = Path(__file__).resolve().parents[2]


def add_project(name: str) -> Callable[[Session], None]:
    values = {"id": name, "name": name, "um_per_px": None, "engine": "e", "params": "{}", "now": utc_now()}
    return lambda session: session.rows("projects.add", values) and None


def names(db: Database) -> set[str]:
    with db.read() as session:
        return {row["name"] for row in session.rows("projects.list", {"id": None})}


@contextmanager
def held(db: Database, threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads whose writes all wait until the block is left, and then arrive as one batch."""
    begun, gate = threading.Event(), threading.Event()

    def hold(_: Session) -> None:
        begun.set()
        assert gate.wait(20)

    with ThreadPoolExecutor(threads + 1) as pool:
        holder = pool.submit(db.write, hold)
        assert begun.wait(10)
        try:
            yield pool
        finally:
            gate.set()
        holder.result()


def run_child(code: str, *arguments: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=ROOT, check=False)


# Opening


def test_an_empty_file_gets_every_migration_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "a.duckdb"
    for _ in range(3):
        Database.open(path, QueryRecorder()).close()
    with duckdb.connect(str(path)) as connection:
        applied = connection.execute("SELECT number, name FROM migration ORDER BY number").fetchall()
    assert applied == [(step.number, step.name) for step in load_migrations()]


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    db = Database.open(path, QueryRecorder())
    db.write(add_project("kept"))
    db.close()
    db = Database.open(path, QueryRecorder())
    assert names(db) == {"kept"}
    db.close()


def test_a_closed_file_has_no_log_left_to_replay(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.duckdb", QueryRecorder())
    db.write(add_project("kept"))
    db.close()
    assert [path.name for path in tmp_path.glob("*.wal")] == []


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    Database.open(path, QueryRecorder()).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO migration VALUES (999, 'tomorrow', NULL)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="newer Spheroscope"):
        Database.open(path, QueryRecorder())
    assert path.read_bytes() == before
    with duckdb.connect(str(path)) as connection:  # nothing holds it
        assert connection.execute("SELECT count(*) FROM project").fetchall() == [(0,)]


def test_a_migration_that_fails_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.duckdb"
    step = load_migrations()[0]
    broken = type(step)(2, "broken", "CREATE TABLE half (a INTEGER); SELECT no_such_column")
    monkeypatch.setattr("core.db.connection.load_migrations", lambda _: (step, broken))
    with pytest.raises(StorageError):
        Database.open(path, QueryRecorder())
    monkeypatch.undo()
    db = Database.open(path, QueryRecorder())
    db.write(add_project("fine"))
    db.close()
    with duckdb.connect(str(path)) as connection:
        tables = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    assert "half" not in tables


@pytest.mark.parametrize("content", [b"not a database at all", b"\0" * 20_000])
def test_a_damaged_file_is_not_called_locked(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.duckdb"
    path.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        Database.open(path, QueryRecorder())
    assert not isinstance(caught.value, DatabaseLocked)
    assert path.read_bytes() == content


def test_a_block_that_rotted_is_not_called_locked(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    db = Database.open(path, QueryRecorder())
    for number in range(50):
        db.write(add_project(f"project {number}"))
    db.close()
    data = bytearray(path.read_bytes())
    for index in range(3 * 4096, len(data), 4096):
        data[index + 77] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StorageError) as caught:
        Database.open(path, QueryRecorder())
    assert not isinstance(caught.value, DatabaseLocked)


def test_a_folder_that_cannot_be_made_is_an_error_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be made"):
        Database.open(tmp_path / "file" / "a.duckdb", QueryRecorder())


def test_a_second_process_is_refused_with_the_number_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    code = """
        import sys
        from pathlib import Path
        from core.db import Database
        from core.monitoring import QueryRecorder
        db = Database.open(Path(sys.argv[1]), QueryRecorder())
        print("open", flush=True)
        sys.stdin.read()
        db.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DatabaseLocked, match=rf"process {holder.pid}\)"):
            Database.open(path, QueryRecorder())
        holder.communicate()
    Database.open(path, QueryRecorder()).close()


def test_a_live_connection_reads_no_files_and_cannot_be_talked_into_it(db: Database) -> None:
    for statement in (
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY project TO 'stolen.csv'",
        "ATTACH 'other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '64GB'",
    ):
        with db.read() as session, pytest.raises(duckdb.Error):
            session._cursor.execute(statement)


# Reading and writing


def test_closures_are_answered_with_their_own_results(db: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: db.write(lambda _: number), range(200)))
    assert answers == list(range(200))


def test_one_failing_closure_harms_no_other_of_its_batch(db: Database) -> None:
    calls = []

    def guilty(session: Session) -> None:
        calls.append("guilty")
        add_project("never")(session)
        raise NotFound("no")

    with held(db, 21) as pool:
        good = [pool.submit(db.write, add_project(f"p{n}")) for n in range(10)]
        bad = pool.submit(db.write, guilty)
        good += [pool.submit(db.write, add_project(f"p{n}")) for n in range(10, 20)]
        wait_until(lambda: db.writes_waiting == 21, what="the batch")
    assert [item.result() for item in good] == [None] * 20
    with pytest.raises(NotFound):
        bad.result()
    assert names(db) == {f"p{n}" for n in range(20)}
    assert calls == ["guilty", "guilty"]  # together, then alone


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), MemoryError(), ValueError("x")])
def test_whatever_a_closure_raises_is_its_callers_and_the_writer_lives(
    db: Database, error: BaseException
) -> None:
    def work(session: Session) -> None:
        add_project("never")(session)
        raise error

    with pytest.raises(type(error)):
        db.write(work)
    db.write(add_project("after"))
    assert names(db) == {"after"}


def test_a_constraint_is_a_fault_in_here_and_not_the_disks(db: Database) -> None:
    db.write(add_project("twice"))
    with pytest.raises(duckdb.ConstraintException):
        db.write(add_project("twice"))
    db.write(add_project("other"))
    assert names(db) == {"twice", "other"}


def test_a_write_within_a_write_is_refused_and_does_not_hang(db: Database) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        db.write(lambda _: db.write(lambda _: None))


def test_many_waiting_writes_share_transactions(db: Database) -> None:
    before = db.generation
    with held(db, MAX_BATCH) as pool:
        rest = [pool.submit(db.write, add_project(f"p{n}")) for n in range(MAX_BATCH)]
        wait_until(lambda: db.writes_waiting == MAX_BATCH, what="the batch")
    for item in rest:
        item.result()
    assert db.generation - before == 2


def test_a_write_that_comes_while_another_is_made_joins_its_transaction(db: Database) -> None:
    before, joined = db.generation, []

    def work(session: Session) -> None:
        add_project("first")(session)
        joined.append(db.begin(add_project("second")))

    db.write(work)
    joined[0].result()
    assert db.generation - before == 1
    assert names(db) == {"first", "second"}


def test_rows_that_were_refused_are_not_in_the_next_transaction(db: Database) -> None:
    def labels(rows: list[tuple[object, ...]]) -> Callable[[Session], None]:
        columns = ("version_id", "image_id", "number", "reasons", "contour")
        return lambda session: session.append("objects", "object", columns, rows)

    with pytest.raises(duckdb.Error):
        db.write(labels([("s", "i", 1, "{}", "[]"), ("s", "i", "no number", "{}", "[]")]))
    with pytest.raises(duckdb.Error):
        db.write(labels([("s", "i", 2, "{}", "[]"), ("s", "i", 3, None, "[]")]))
    db.write(labels([("s", "i", 4, "{}", "[]")]))
    with db.read() as session:
        assert session._cursor.execute("SELECT number FROM object").fetchall() == [(4,)]


def test_the_generation_has_moved_before_a_writer_hears_of_its_commit(db: Database) -> None:
    before = db.generation
    db.write(add_project("a"))
    after = db.generation
    assert after > before
    names(db)
    assert db.generation == after


@pytest.mark.slow
def test_mixed_transactions_of_eight_threads_never_conflict(db: Database) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    for number in range(5):
        db.write(add_project(f"shared {number}"))

    def mixed(thread: int) -> int:
        rng = random.Random(seed + thread)
        for turn in range(200):
            kind, key = rng.randrange(4), f"shared {rng.randrange(5)}"
            if kind == 0:
                db.write(add_project(f"{thread}-{turn}"))
            elif kind == 1:
                size = {"id": key, "um_per_px": rng.random(), "method": "typed"}
                db.write(lambda s, v=size: s.rows("projects.set_pixel_size", v))
            elif kind == 2:
                db.write(lambda s, k=key: s.rows("projects.rename", {"id": k, "name": k}))
            else:
                assert {f"shared {n}" for n in range(5)} <= names(db)
        return thread

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(mixed, range(8))) == list(range(8))


def test_readers_get_their_own_answers_while_a_writer_works(db: Database) -> None:
    for number in range(20):
        db.write(add_project(f"p{number}"))
    stop = threading.Event()

    def write() -> int:
        turns = 0
        while not stop.is_set():
            size = {"id": f"p{turns % 20}", "um_per_px": 1.0, "method": "typed"}
            db.write(lambda s, v=size: s.rows("projects.set_pixel_size", v))
            turns += 1
        return turns

    def read(thread: int) -> None:
        for turn in range(40):
            name = f"p{(thread + turn) % 20}"
            with db.read() as session:
                row = session.one("projects.list", {"id": name})
            assert row is not None
            assert row["name"] == name

    with ThreadPoolExecutor(5) as pool:
        writer = pool.submit(write)
        list(pool.map(read, range(4)))
        stop.set()
        assert writer.result() > 0


def test_a_frame_can_be_read_as_a_table_and_is_gone_afterwards(db: Database, store: Store) -> None:
    project = store.projects.create("a", "e")
    frame = pl.DataFrame({"id": ["x"], "image_id": ["x"], "place": [0]})
    for name in ("engine", "engine_version", "params"):
        frame = frame.with_columns(pl.lit("e").alias(name))
    values = {"now": utc_now(), "project_id": project.id}
    values |= {"priority": "normal", "requested_by": None}
    assert db.write(lambda session: session.rows_from("jobs.add", frame, values)) == []
    with pytest.raises(duckdb.CatalogException):
        db.write(lambda session: session.rows("jobs.add", values))


# Commit hooks


def hook_of(events: list[str], name: str, fails: str = "") -> CommitHook:
    """A hook that notes when it is entered and left, and raises where ``fails`` says."""

    @contextmanager
    def hook(_: Session, executed: Sequence[ExecutedStatement]) -> Iterator[None]:
        if fails == "before":
            raise ValueError(f"{name} fails before COMMIT")
        try:
            yield
        except BaseException as error:
            events.append(f"{name} left with {type(error).__name__}")
            raise
        events.append(f"{name} left after {len(executed)} statements")
        if fails == "after":
            raise ValueError(f"{name} fails after COMMIT")

    return hook


def test_a_hook_that_fails_after_commit_does_not_undo_or_repeat_it(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[str] = []
    for name, fails in (("first", ""), ("second", "after"), ("third", "")):
        db.add_commit_hook(hook_of(events, name, fails))
    runs: list[int] = []

    def work(session: Session) -> int:
        runs.append(1)
        add_project("once")(session)
        return 7

    before = db.generation
    assert db.write(work) == 7
    assert runs == [1]
    assert names(db) == {"once"}
    assert db.generation == before + 1
    assert events == [f"{name} left after 1 statements" for name in ("third", "second", "first")]
    assert [item.message for item in caplog.records] == ["event=db.commit_hook_failed"]


def test_a_hook_that_fails_before_commit_fails_the_write_and_nothing_is_saved(db: Database) -> None:
    events: list[str] = []
    db.add_commit_hook(hook_of(events, "first"))
    db.add_commit_hook(hook_of(events, "second", "before"))
    before = db.generation
    with pytest.raises(ValueError, match="second fails before COMMIT"):
        db.write(add_project("never"))
    assert names(db) == set()
    assert db.generation == before
    assert events == ["first left with ValueError"]


# Reading in turn with the writes


def test_a_read_on_the_writer_commits_nothing_and_repeats_no_write_of_its_batch(db: Database) -> None:
    runs: list[str] = []

    def work(name: str) -> Callable[[Session], None]:
        return lambda session: (runs.append(name), add_project(name)(session))[1]

    def ask(session: Session) -> int:
        return int(session.rows("health.schema")[0]["number"])

    before = db.generation
    assert db.read_on_writer(ask) > 0
    assert db.generation == before
    with held(db, 3) as pool:
        first = pool.submit(db.write, work("a"))
        wait_until(lambda: db.writes_waiting == 1, what="the first write")
        question = pool.submit(db.read_on_writer, ask)
        wait_until(lambda: db.writes_waiting == 2, what="the question")
        last = pool.submit(db.write, work("b"))
        wait_until(lambda: db.writes_waiting == 3, what="the last write")
    assert (first.result(), last.result()) == (None, None)
    assert question.result() > 0
    assert runs == ["a", "b"]
    assert db.generation == before + 1


# Memory

HUNGRY = "SELECT list(range) AS n FROM range(50000000)"  # an aggregate that cannot spill to the disk


def test_too_little_memory_has_an_error_of_its_own_and_is_not_called_a_full_disk(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.duckdb", QueryRecorder(), memory_mb=64)
    db._queries["test.hungry"] = HUNGRY

    def read() -> None:
        with db.read() as session:
            session.rows("test.hungry")

    def stream() -> None:
        with db.read() as session:
            list(session.stream("test.hungry", {}))

    for act in (read, stream, lambda: db.write(lambda session: session.rows("test.hungry"))):
        with pytest.raises(DatabaseOutOfMemory) as caught:
            act()
        assert "more memory than the database may use" in caught.value.message
        assert "DUCKDB_MEMORY_MB" in caught.value.message
        assert "disk" not in caught.value.message
    db.write(add_project("after"))
    assert names(db) == {"after"}
    db.close()


# The recorder


def test_every_statement_is_recorded_with_its_rows_and_duration(
    db: Database, recorder: QueryRecorder
) -> None:
    seen = len(recorder.latest())
    db.write(add_project("a"))
    names(db)
    latest = recorder.latest()[seen:]
    assert [(item.name, item.rows) for item in latest] == [("projects.add", 1), ("projects.list", 1)]
    assert all(item.ms > 0 for item in latest)


def test_a_stream_is_recorded_when_it_is_left_without_its_readers_own_time(
    db: Database, recorder: QueryRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        db.write(add_project(f"p{number}"))
    clock = itertools.count()  # every look at it takes a second
    monkeypatch.setattr("core.db.session.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    with db.read() as session:
        rows = session.stream("projects.list", {"id": None}, size=2)
        assert len(next(rows)) == 2
        list(itertools.islice(clock, 3600))  # an hour until the reader wants more
        assert len(next(rows)) == 2
        rows.close()
    last = recorder.latest()[-1]
    assert (last.name, last.rows, last.ms) == ("projects.list", 4, 2000)


# Closing


def test_after_close_every_call_says_so_and_close_may_be_called_again(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.duckdb", QueryRecorder())
    db.close()
    db.close()
    with pytest.raises(ServiceClosed), db.read():
        pass
    with pytest.raises(ServiceClosed):
        db.write(lambda _: None)


def test_writes_that_wait_are_finished_before_closing(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.duckdb", QueryRecorder())
    with held(db, 7) as pool:
        waiting = [pool.submit(db.write, add_project(f"p{n}")) for n in range(6)]
        wait_until(lambda: db.writes_waiting == 6, what="writes that wait")
        closing = pool.submit(db.close)
        wait_until(lambda: db.writes_waiting == 7, what="the call to close")
    for item in [*waiting, closing]:
        item.result()
    db = Database.open(tmp_path / "a.duckdb", QueryRecorder())
    assert names(db) == {f"p{n}" for n in range(6)}
    db.close()


def test_threads_that_go_on_while_it_closes_hear_of_it_and_of_nothing_else(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.duckdb", QueryRecorder())
    going = threading.Barrier(7)

    def hammer(kind: int) -> type[BaseException]:
        going.wait()
        while True:
            try:
                names(db) if kind % 2 else db.write(lambda _: None)
            except ServiceClosed as error:
                return type(error)

    with ThreadPoolExecutor(6) as pool:
        ends = [pool.submit(hammer, kind) for kind in range(6)]
        going.wait()
        db.close()
        assert {end.result(timeout=20) for end in ends} == {ServiceClosed}


def test_an_open_stream_does_not_hold_up_closing(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.duckdb", QueryRecorder())
    db.write(add_project("a"))
    with db.read() as session:
        rows = session.stream("projects.list", {"id": None})
        assert next(rows)
        db.write(add_project("b"))
        db.close()
        rows.close()


# A full disk. A limit on the size of files refuses writes as a full disk does, and needs no rights.

FULL = """
    import resource, sys
    from pathlib import Path
    import polars as pl
    from core.db import Database
    from core.errors import StorageError
    from core.monitoring import QueryRecorder
    from core.store import Store
    from tests.factories import add

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    folder, room, fill = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "fill"
    db = Database.open(folder / "a.duckdb", QueryRecorder())
    store = Store(db)
    project = store.projects.create("full", "e")
    db._writer.checkpoint()
    kept, turn = [], 0
    limit((folder / "a.duckdb").stat().st_size + room)
    while turn < 400:
        turn += 1
        keys = [f"{turn}-{n}" for n in range(50)]
        try:
            add(store, project.id, *keys)
            kept += keys
        except StorageError as error:
            assert "disk" in error.message, error
            break
    else:
        sys.exit("the disk never filled")
    if fill:  # what the writer does when it is idle, and what invalidates the whole database
        for _ in range(3):
            db.write(lambda session: None)
            db._writer.checkpoint()
    limit(resource.RLIM_INFINITY)
    for attempt in range(10):
        try:
            kept += add(store, project.id, "after")
            break
        except StorageError:
            pass
    else:
        sys.exit("it did not come back")
    assert set(store.images.ids(project.id)) >= set(kept)
    db.close()
    db = Database.open(folder / "a.duckdb", QueryRecorder())
    assert set(Store(db).images.ids(project.id)) >= set(kept)
    db.close()
    print("kept", len(kept))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("room", "how"), [(0, "fill"), (20_000, "commit"), (300_000, "fill")])
def test_a_full_disk_loses_nothing_acknowledged_and_passes(tmp_path: Path, room: int, how: str) -> None:
    done = run_child(FULL, tmp_path, room, how)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.match(r"kept \d+", done.stdout)
    assert ("event=db.invalidated" in done.stderr) == (how == "fill")


# The statements


def test_every_named_statement_is_asked_for_somewhere() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "core").rglob("*.py"))
    unused = [name for name in load_queries() if f'"{name}"' not in text]
    assert unused == []


def test_a_name_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("-- name: one\nSELECT 1\n-- name: one\nSELECT 2\n")
    with pytest.raises(ValueError, match=r"a\.one is defined twice"):
        load_queries(tmp_path)


def test_a_migrations_number_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0003_a.sql").write_text("SELECT 1")
    (tmp_path / "0003_c.sql").write_text("SELECT 1")
    with pytest.raises(ValueError, match="same number"):
        load_migrations(tmp_path)


def test_a_migration_whose_number_lies_between_is_applied_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, steps = tmp_path / "a.duckdb", load_migrations()
    first, last = steps[0], type(steps[0])(900, "last", "CREATE TABLE last (a INTEGER)")
    between = type(first)(899, "between", "CREATE TABLE between_them (a INTEGER)")
    monkeypatch.setattr("core.db.connection.load_migrations", lambda _=None: (*steps, last))
    Database.open(path, QueryRecorder()).close()
    monkeypatch.setattr("core.db.connection.load_migrations", lambda _=None: (*steps, between, last))
    Database.open(path, QueryRecorder()).close()
    with duckdb.connect(str(path)) as connection:
        tables = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    assert {"last", "between_them"} <= tables


def test_an_unknown_statement_is_a_fault_in_here(db: Database) -> None:
    with db.read() as session, pytest.raises(KeyError):
        session.rows("no.such")


def test_every_statement_is_understood_by_the_schema(db: Database) -> None:
    columns = ("id", "image_id", "place", "request", "sha256", "status", "engine", "engine_version", "params")
    columns += ("key", "path", "n_bytes")  # of uploads
    incoming = pl.DataFrame({column: ["1"] for column in columns})
    for name, text in load_queries().items():
        if "BY NAME" in text or name.startswith("metrics."):
            continue  # of another file; or its columns are the frame's; run by the tests of its store
        with db.read() as session:
            session._cursor.register("incoming", incoming)
            values = dict.fromkeys(re.findall(r"\$(\w+)", text))
            parts = {
                "order": "1",
                "where": "",
                "rows_after": "true",
                "value": "object.area",
                "x": "object.area",
                "y": "object.area",
                "columns": SELECT_LIST,
                "codes": ENUM_CODES,
                "summary": "n_objects = 1",
            }
            session._cursor.execute(f"EXPLAIN {text.format(**parts)}", values)
            assert session._cursor.fetchall(), name
