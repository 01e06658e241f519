"""Compaction: the same rows in another order, whatever happens on the way."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core import cli
from core.db import Database, backup, compaction
from core.db.commit_counter import CommitCounter
from core.db.compaction import TableOrder, compact
from core.db.statements import load_migrations
from core.errors import DatabaseLocked, StorageError
from core.models import JobState
from core.monitoring import QueryRecorder
from core.store import Store
from tests.factories import ENGINE, RECIPE, add, claim, finish, result, spheroid

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
_SCHEMA = "".join(step.text for step in load_migrations())
TABLES = sorted(
    {"migration", *re.findall(r"CREATE TABLE (\w+)", _SCHEMA)} - {*re.findall(r"DROP TABLE (\w+)", _SCHEMA)}
)
STEPS = ["copying", *TABLES, "saving", "replacing", "replaced"]
MEMORY_MB = 256
OPENING = (
    "import os, sys\nfrom pathlib import Path\nfrom core.db.compaction import compact\n"
    "from core.db import Database\nfrom core.monitoring import QueryRecorder\nfrom core.store import Store\n"
    "path = Path(sys.argv[1])\n"
)


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    db = Database.open(path, QueryRecorder())
    try:
        assert db.lost_commits == 0
        yield Store(db)
    finally:
        db.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose projects' images came in turns, with results, jobs and what has been deleted."""
    path = tmp_path_factory.mktemp("filled") / "spheroscope.duckdb"
    chance = random.Random(1)
    with opened(path) as store:
        projects = [store.projects.create(f"Plate {number}", ENGINE).id for number in range(3)]
        for number in range(12):
            key = f"{chance.randrange(16**6):06x}"
            add(store, projects[number % 3], key)
            if number % 2:
                finish(store, key, *(spheroid(index) for index in range(1, 1 + number % 4)))
        add(store, projects[0], "waits", "waits too", recipe=RECIPE)
        store.images.delete(projects[1], [key])
        store.projects.delete(projects[2])
    return path.parent


@pytest.fixture
def path(tmp_path: Path, folder: Path) -> Path:
    """A copy of that database."""
    return Path(shutil.copytree(folder, tmp_path / "it's here")) / "spheroscope.duckdb"


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {table: sorted(connection.execute(f"FROM {table}").fetchall(), key=repr) for table in TABLES}


def lying(path: Path, column: str) -> list[Any]:
    """Values of a table's column as the rows lie in the file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        query = f"SELECT {column} FROM {column.partition('.')[0]} ORDER BY rowid"
        return [row[0] for row in connection.execute(query).fetchall()]


def log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OPENING + script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ended(app: subprocess.Popen[str]) -> int:
    """Have it go on to its end; returns its status."""
    app.communicate("\n", timeout=60)
    return app.returncode


@pytest.mark.slow
def test_the_same_rows_lie_by_project(path: Path) -> None:
    before = content(path)
    steps: list[str] = []
    done = compact(path, MEMORY_MB, report=steps.append)
    assert content(path) == before
    assert steps == STEPS
    assert done.rows == {table: len(rows) for table, rows in before.items()}
    assert done.after_bytes == path.stat().st_size
    projects, images = lying(path, "image.project_id"), lying(path, "image.id")
    assert projects == sorted(projects)
    for table in ("version", "object"):
        places = [images.index(key) for key in lying(path, f"{table}.image_id")]
        assert places == sorted(places), table
    assert not list((path.parent / "tmp").glob("compacted*"))


def test_the_way_back_is_the_order_of_adding(path: Path) -> None:
    before = content(path)
    compact(path, MEMORY_MB)
    assert lying(path, "image.created_at") != sorted(lying(path, "image.created_at"))
    compact(path, MEMORY_MB, TableOrder.ADDED)
    assert content(path) == before
    for table in ("image", "version"):
        times = lying(path, f"{table}.created_at")
        assert times == sorted(times)


def test_the_app_goes_on_with_it_as_with_the_one_before(path: Path) -> None:
    with opened(path) as store:
        before = store.projects.list(), store.jobs.page(None, limit=100)
    noted = CommitCounter(path.with_suffix(".commits")).load()
    compact(path, MEMORY_MB)
    with opened(path) as store:
        assert (store.projects.list(), store.jobs.page(None, limit=100)) == before
        last = max(job.sequence for job in before[1].items)
        add(store, before[0][0].id, "new", recipe=RECIPE)
        assert store.jobs.page(JobState.QUEUED).items[-1].sequence > last, "numbers go on"
        for _ in range(3):
            assert store.results.finish(claim(store), result(spheroid(1)))
    assert CommitCounter(path.with_suffix(".commits")).load() > noted > 0


@pytest.mark.slow
def test_a_log_that_was_left_is_folded_in(path: Path) -> None:
    with opened(path) as store:
        project = store.projects.list()[0].id
    script = (
        "store = Store(Database.open(path, QueryRecorder()))\nstore.projects.rename(sys.argv[2], 'At last')\n"
    )
    assert ended(child(f"{script}os._exit(9)", path, project)) == 9
    assert log_of(path).exists()
    compact(path, MEMORY_MB)
    assert not log_of(path).exists()
    with opened(path) as store:
        assert store.projects.get(project).name == "At last"


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_nothing(path: Path, step: str) -> None:
    before = content(path)
    script = "compact(path, 256, report=lambda step: os._exit(9) if step == sys.argv[2] else None)"
    assert ended(child(script, path, step)) == 9
    with opened(path) as store:
        assert len(store.projects.list()) == 2
    assert content(path) == before
    compact(path, MEMORY_MB)
    assert content(path) == before
    assert not list((path.parent / "tmp").glob("compacted*"))


@pytest.mark.slow
def test_beside_a_running_app_nothing_is_done(path: Path) -> None:
    app = child(
        "db = Database.open(path, QueryRecorder())\nprint('open', flush=True)\ninput()\ndb.close()", path
    )
    assert app.stdout is not None
    assert app.stdout.readline() == "open\n"
    before = path.stat().st_ino
    with pytest.raises(DatabaseLocked, match=f"already running .*{app.pid}"):
        compact(path, MEMORY_MB)
    ended(app)
    assert path.stat().st_ino == before
    compact(path, MEMORY_MB)
    assert path.stat().st_ino != before


@pytest.mark.slow
@pytest.mark.parametrize("ends", [True, False])
def test_an_app_that_begins_meanwhile_keeps_its_database(path: Path, *, ends: bool) -> None:
    script = (
        "db = Database.open(path, QueryRecorder())\nStore(db).projects.create('Made meanwhile', 'fake')\n"
        "print('made', flush=True)\ninput()\ndb.close()"
    )
    apps: list[subprocess.Popen[str]] = []

    def say(step: str) -> None:
        if step == "saving":  # the file has been read and let go of
            apps.append(child(script, path))
            assert apps[0].stdout is not None
            assert apps[0].stdout.readline() == "made\n"
            if ends:
                ended(apps[0])

    with pytest.raises(DatabaseLocked, match="begun to run"):
        compact(path, MEMORY_MB, report=say)
    if not ends:
        ended(apps[0])
    with opened(path) as store:
        assert "Made meanwhile" in {item.name for item in store.projects.list()}


def test_a_copy_that_is_not_equal_is_thrown_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(path)
    queries = compaction.load_queries(compaction.COMPACTION)
    queries["compaction.project_image"] += " LIMIT 11"
    monkeypatch.setattr(compaction, "load_queries", lambda _: queries)
    with pytest.raises(StorageError, match="table image is not equal"):
        compact(path, MEMORY_MB)
    assert content(path) == before
    assert not list((path.parent / "tmp").glob("compacted*"))


def test_a_database_that_cannot_be_compacted_is_an_error_with_a_reason(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StorageError, match="no database at"):
        compact(tmp_path / "nothing.duckdb", MEMORY_MB)
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(path.parent))
    monkeypatch.setattr(backup, "SPARE_BYTES", 2**60)
    assert cli.main(["compact"]) == cli.NOTHING_DONE
    assert "MiB of disk" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(path.parent))
    path.write_bytes(b"no database" * 1000)
    assert cli.main(["compact"]) == cli.NOTHING_DONE
    assert "cannot be opened" in capsys.readouterr().err


def test_the_command_says_what_it_did(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(path.parent))
    assert cli.main(["compact", "--order", "added"]) == cli.DONE
    output = capsys.readouterr().err
    assert f"rows in {len(TABLES)} tables" in output
    assert "MiB before" in output
