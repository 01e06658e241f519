"""Updating a database of version 0.1: no number changes, a backup is made first, a kill harms nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.clock import utc_now
from core.db import Database, backup
from core.errors import DatabaseLocked, StorageError
from core.models import ImageStatus, JobState, Priority, ReviewSettings, ReviewState, VersionKind
from core.monitoring import QueryRecorder
from core.store import Store
from core.store.correction_audit import FIRST_HASH, CorrectionAuditRow, Verified
from core.store.reviews import Judgement
from tests.factories import RECIPE, claim, result, spheroid

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = ROOT / "core" / "db" / "sql" / "migrations"
SCHEMA_0_1 = Path(__file__).parent / "schema_0_1"
MADE = datetime(2026, 3, 1, 12)
TIMINGS = {"queued": 5000.0, "wait": 100.0, "predict": 1400.0, "measure": 100.0}

# By image: its status, its recipes as they were requested and the state of each job, the recipe in force.
IMAGES: dict[str, tuple[str, dict[str, str], str | None]] = {
    "never requested": ("new", {}, None),
    "done": ("done", {"a": "done"}, "a"),
    "two recipes": ("done", {"a": "done", "b": "done"}, "b"),
    "the earlier request ended last": ("done", {"a": "done", "b": "done"}, "a"),
    "no spheroids": ("done", {"none": "done"}, "none"),
    "queued": ("queued", {"a": "queued"}, None),
    "queued again": ("queued", {"a": "done", "b": "queued"}, "a"),
    "running": ("running", {"a": "running"}, None),
    "failed": ("failed", {"a": "failed"}, None),
    "failed after a result": ("failed", {"a": "done", "b": "failed"}, "a"),
    "cancelled": ("done", {"a": "done", "b": "cancelled"}, "a"),
    "deleted": ("done", {"a": "done"}, "a"),
    "of a deleted project": ("done", {"a": "done"}, "a"),
}


def populate(connection: Any) -> None:
    """Fill the tables of 0.1 by its own columns."""
    for key, deleted in (("kept", None), ("gone", MADE)):
        connection.execute(
            "INSERT INTO project VALUES (?, ?, 0.5, 'unet', '{\"sensitivity\":0.5}', ?, ?)",
            [key, f"Project {key}", MADE, deleted],
        )
    for index, (name, (status, jobs, in_force)) in enumerate(IMAGES.items()):
        _add_image(connection, index, name, status, in_force)
        for recipe, state in jobs.items():
            _add_job(connection, name, recipe, state)


def _add_image(connection: Any, place: int, name: str, status: str, in_force: str | None) -> None:
    failed = status == "failed"
    row = {
        "id": name,
        "project_id": "gone" if name == "of a deleted project" else "kept",
        "name": f"{name}.tif",
        "sha256": f"file of {name}",
        "page": 1,
        "width": 640,
        "height": 480,
        "channels": 1,
        "dtype": "uint16",
        "bit_depth": 12,
        "n_bytes": 1234,
        "um_per_px_file": 0.65,
        "um_per_px_from": "ResolutionUnit",
        "thumbnail_sha256": f"thumbnail of {name}",
        "created_at": MADE + timedelta(minutes=place),
        "deleted_at": MADE + timedelta(days=1) if name == "deleted" else None,
        "um_per_px": 0.65,
        "um_per_px_source": "file",
        "status": status,
        "error_code": "segmentation_error" if failed else None,
        "error": "It would not be outlined." if failed else None,
        "segmentation_id": None if in_force is None else f"{name}/{in_force}",
    }
    if in_force is not None:
        largest = max((item.measurements for item in objects_of(in_force)), key=_area, default={})
        row |= {
            "n_objects": len(objects_of(in_force)),
            "largest_diameter_px": largest.get("equivalent_diameter"),
            "largest_area_px": largest.get("area"),
            "largest_circularity": largest.get("circularity"),
            "seconds": 1.5,
            "confidence": 0.8,
        }
    _insert(connection, "image", row)


def _area(measurements: dict[str, Any]) -> float:
    return float(measurements["area"])


def objects_of(recipe: str) -> list[Any]:
    """Other spheroids for every recipe; the second is the largest."""
    if recipe == "none":
        return []
    return [spheroid(number, area=(100, 900, 400)[number - 1] + len(recipe)) for number in (1, 2, 3)]


def _add_job(connection: Any, image_id: str, recipe: str, state: str) -> None:
    job_id = f"{image_id}/{recipe}"
    (sequence,) = connection.execute("SELECT nextval('job_sequence')").fetchone()
    job = {"id": job_id, "image_id": image_id, "project_id": "kept", "state": state, "sequence": sequence}
    job |= {"attempt": 1, "suspect": False, "engine": recipe, "engine_version": "1", "params": "{}"}
    job |= {"created_at": MADE, "priority": "high", "asked_by": "Ada", "crashes": 0}
    if state == "failed":
        job |= {"error_code": "segmentation_error", "error": "It would not be outlined."}
    _insert(connection, "job", job)
    if state != "done":
        return
    segmentation = {"id": job_id, "image_id": image_id, "kind": "automatic", "engine": recipe}
    segmentation |= {"engine_version": "1", "params": '{"sensitivity":0.5}', "created_at": MADE}
    segmentation |= {
        name: f"{name} of {job_id}" for name in ("labels_sha256", "thumbnail_sha256", "maps_sha256")
    }
    _insert(connection, "segmentation", segmentation | {"timings_ms": json.dumps(TIMINGS)})
    for item in objects_of(recipe):
        row = {"segmentation_id": job_id, "image_id": image_id, "number": item.number, **item.measurements}
        row |= {"reasons": "{}", "confidence": 0.7, "contour": json.dumps([item.contour.outer])}
        _insert(connection, "object", row)


def _insert(connection: Any, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed database of version 0.1 with something of everything."""
    path = tmp_path_factory.mktemp("earlier") / "spheroscope.duckdb"
    Database.open(path, QueryRecorder(), schema=SCHEMA_0_1).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute((SCHEMA_0_1 / "views" / "image_row.sql").read_text(encoding="utf-8"))
        populate(connection)
    return path


@pytest.fixture
def path(tmp_path: Path, earlier: Path) -> Path:
    """A copy of that database."""
    shutil.copytree(earlier.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / earlier.name


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    db = Database.open(path, QueryRecorder())
    try:
        yield Store(db)
    finally:
        db.close()


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return list(connection.execute(query).fetchall())


def columns(path: Path, table: str, without: tuple[str, ...] = ()) -> str:
    names = rows(path, f"SELECT column_name FROM duckdb_columns() WHERE table_name = '{table}'")
    return ", ".join(f'"{name}"' for (name,) in names if name not in without)


@pytest.mark.slow
def test_every_number_is_as_it_was(path: Path) -> None:
    same = {
        "project": columns(path, "project"),
        "image": columns(path, "image", ("segmentation_id", "status")),
        "job": columns(path, "job", ("asked_by",)),
        "object": columns(path, "object", ("segmentation_id",)),
    }
    renamed = {
        "segmentation_id, id FROM image": "version_id, id FROM image",
        "id, status FROM image WHERE id <> 'failed after a result'": None,
        "asked_by, id FROM job": "requested_by, id FROM job",
        "segmentation_id, image_id, number FROM object": "version_id, image_id, number FROM object",
        f"{columns(path, 'segmentation')} FROM segmentation": f"{columns(path, 'segmentation')} FROM version",
    }
    queries = {f"SELECT {names} FROM {table} ORDER BY ALL": None for table, names in same.items()}
    queries |= {f"SELECT {old} ORDER BY ALL": new for old, new in renamed.items()}
    before = {old: rows(path, old) for old in queries}
    with opened(path):
        pass
    for old, new in queries.items():
        assert before[old], old
        assert rows(path, f"SELECT {new} ORDER BY ALL" if new else old) == before[old], old


def test_results_read_as_they_did(path: Path) -> None:
    with opened(path) as store:
        assert {item.name for item in store.projects.list()} == {"Project kept"}
        for name, (_, jobs, in_force) in IMAGES.items():
            if name in ("deleted", "of a deleted project"):
                continue
            image = store.images.get(name)
            stored = store.results.get(image)
            assert (stored is None) == (in_force is None), name
            versions = {version.engine: version for version in store.results.versions(name)}
            assert set(versions) == {recipe for recipe, state in jobs.items() if state == "done"}
            if stored is None or in_force is None:
                continue
            version, objects = stored
            assert [item.measurements for item in objects] == [
                item.measurements for item in objects_of(in_force)
            ]
            assert (version.kind, version.engine) == (VersionKind.AUTOMATIC, in_force)
            assert version.n_objects == image.n_objects == len(objects)
            assert version.confidence == image.confidence == 0.8
            assert (image.review, version.parent_iou, version.seconds_worked) == ("unseen", None, None)
            for recipe, other in versions.items():
                assert (other.superseded_at is None) == (recipe == in_force)
                assert other.n_objects == len(objects_of(recipe))
        (job,) = store.jobs.page(JobState.QUEUED, sort="sequence", limit=1).items
        assert (job.requested_by, job.priority, job.request) == ("Ada", Priority.HIGH, job.sequence)


def test_other_versions_have_the_numbers_of_their_own_objects(path: Path) -> None:
    with opened(path) as store:
        versions = {version.id: version for version in store.results.versions("two recipes")}
    figures = rows(path, "SELECT id, n_objects, largest_area_px FROM version WHERE image_id = 'two recipes'")
    assert sorted(figures) == [("two recipes/a", 3, 901.0), ("two recipes/b", 3, 901.0)]
    superseded = versions["two recipes/a"].superseded_at
    assert superseded is not None
    assert abs(superseded - utc_now()) < timedelta(hours=1), "kept as long as if it had been replaced now"


def test_images_stand_where_their_last_request_left_them(path: Path) -> None:
    with opened(path) as store:
        status = {item.id: item.status.value for item in store.images.page("kept", limit=100).items}
        failed = store.images.get("failed after a result")
        assert (failed.status, failed.error) == (ImageStatus.DONE, "It would not be outlined.")
        (failed_only,) = (item for item in store.images.page("kept", limit=100).items if item.id == "failed")
        assert (failed_only.status, failed_only.error_code) == (ImageStatus.FAILED, "segmentation_error")
        expected = {name: state for name, (state, _, _) in IMAGES.items() if name in status}
        assert status == expected | {"failed after a result": "done"}


def test_the_queue_goes_on_where_it_was(path: Path) -> None:
    with opened(path) as store:
        assert store.jobs.recover(3) == 1
        done = []
        while (job := store.jobs.claim("boot", "worker")) is not None:
            assert store.results.finish(job, result(spheroid(1)))
            done.append(job.image_id)
        assert sorted(done) == ["queued", "queued again", "running"]
        for name in done:
            image = store.images.get(name)
            assert (image.status, image.n_objects) == (ImageStatus.DONE, 1)
        assert store.images.get("queued again").version_id != "queued again/a"


def test_a_result_from_before_the_migration_gives_way_to_any_later_request(path: Path) -> None:
    with opened(path) as store:
        for name in ("the earlier request ended last", "cancelled", "failed after a result", "done"):
            store.jobs.enqueue("kept", [name], RECIPE)
            store.jobs.cancel([job.id for job in store.jobs.page(JobState.RUNNING).items])
        while (job := store.jobs.claim("boot", "worker")) is not None:
            store.results.finish(job, result(spheroid(1)))
        for name in ("the earlier request ended last", "cancelled", "failed after a result", "done"):
            assert store.images.get(name).n_objects == 1, name


def test_a_job_that_is_run_again_after_the_update_adds_a_version(path: Path) -> None:
    with opened(path) as store:
        (job,) = (job for job in store.jobs.page(JobState.DONE, limit=100).items if job.id == "done/a")
        store._db.write(
            lambda session: (
                session._cursor.execute("UPDATE job SET state = 'failed' WHERE id = 'done/a'") and None
            )
        )
        store.jobs.retry([job.id])
        store.jobs.cancel([item.id for item in store.jobs.page(JobState.QUEUED).items if item.id != job.id])
        assert store.results.finish(claim(store), result(spheroid(1)))
        assert len(store.results.versions("done")) == 2
        assert store.images.get("done").n_objects == 1


def upgrade_before(migration: str, path: Path, folder: Path) -> None:
    """Bring a database to where it was before a migration; ``folder`` is empty and takes the earlier ones."""
    for step in MIGRATIONS.glob("*.sql"):
        if step.name < migration:
            shutil.copy(step, folder)
    Database.open(path, QueryRecorder(), schema=folder).close()


def test_second_opinions_come_to_a_database_in_which_people_have_reviewed(
    path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    upgrade_before("0019", path, tmp_path_factory.mktemp("schema"))
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE image SET review = 'right', reviewed_by = 'Ada' WHERE id = 'done'")
        said = ["done", "done/a", None, "right", None, "Ada", MADE, True, 4.0]
        connection.execute("INSERT INTO review VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", said)
        connection.execute("UPDATE project SET reason_needed = true")
    words = rows(path, "SELECT * FROM review")
    with opened(path) as store:
        project = store.projects.get("kept")
        assert project.review == ReviewSettings(reason_needed=True, second_opinions=0)
        store.projects.set_review("kept", replace(project.review, second_opinions=3))
        assert store.projects.get("kept").review.second_opinions == 3
        (candidate,) = store.second_opinions.candidates("kept")
        assert (candidate["id"], candidate["version_id"]) == ("done", "done/a")
        assert (candidate["seen_by"], candidate["drawn_by"]) == (["Ada"], [])
        assert store.second_opinions.judged_by("done", "done/a") == "Ada"
        assert store.second_opinions.figures(None) == []
    assert rows(path, "SELECT * FROM review") == words


def test_whose_outlines_are_is_worked_out_for_corrections_of_before(
    path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    upgrade_before("0020", path, tmp_path_factory.mktemp("schema"))
    automatic = "done/a"
    with duckdb.connect(str(path)) as connection:
        for version_id, parent, number in (
            ("first", automatic, 1),
            ("second", "first", 2),
            ("file", "second", 3),
        ):
            _add_correction(connection, automatic, version_id, parent, number)
        facts = '{"n_objects":3,"version":"file"}'
        row = CorrectionAuditRow(1, MADE, "Ada", "done", "imported", facts, FIRST_HASH, "")
        values = [*[getattr(row, field.name) for field in fields(row)][:-1], row.expected_hash]
        connection.execute(f"INSERT INTO correction_audit VALUES ({', '.join('?' * len(values))})", values)
    numbers = rows(path, "SELECT version_id, number, area, contour FROM object ORDER BY ALL")
    with opened(path) as store:
        assert {
            version: [
                (item.outline.value, item.outline_version_id)
                for item in store.results.spheroids("done", version)
            ]
            for version in (automatic, "first", "second", "file")
        } == {
            automatic: [("automatic", automatic)] * 3,
            "first": [("corrected", "first"), ("automatic", automatic), ("automatic", automatic)],
            "second": [("corrected", "first"), ("corrected", "second"), ("automatic", automatic)],
            "file": [("imported", "file")] * 3,
        }
        assert store.correction_audit.verify() == Verified(1, row.expected_hash)
        judgement = Judgement(ReviewState.RIGHT, None, "Ada", MADE, at_random=False)
        store.reviews.add("done", automatic, judgement)
        assert store.correction_audit.verify().rows == 2, "the chain goes on"
        assert store.correction_audit.verify().wrong is None
    assert rows(path, "SELECT version_id, number, area, contour FROM object ORDER BY ALL") == numbers
    assert (path.parent / backup.FOLDER / "spheroscope.before-0020.duckdb").exists()


def _add_correction(connection: Any, origin: str, version_id: str, parent: str, number: int) -> None:
    """A corrected version of before: the outline of one spheroid is another one than its parent's."""
    connection.execute(
        f"INSERT INTO version BY NAME SELECT * REPLACE ('{version_id}' AS id, 'corrected' AS kind, "
        f"'{parent}' AS parent_id) FROM version WHERE id = '{origin}'"
    )
    connection.execute(
        f"INSERT INTO object BY NAME SELECT * REPLACE ('{version_id}' AS version_id, "
        f"CASE WHEN number = {number} THEN '[[[0.0, {number}.5]]]' ELSE contour END AS contour) "
        f"FROM object WHERE version_id = '{parent}'"
    )


# The backup


def test_the_backup_opens_with_the_schema_it_has(path: Path) -> None:
    before = path.read_bytes()
    with opened(path):
        pass
    (copy,) = (path.parent / backup.FOLDER).iterdir()
    assert copy.name == "spheroscope.before-0005.duckdb"
    assert copy.read_bytes() == before
    db = Database.open(copy, QueryRecorder(), schema=SCHEMA_0_1)
    with db.read() as session:
        images = session._cursor.execute("SELECT id, status::VARCHAR, segmentation_id FROM image").fetchall()
    db.close()
    expected = [
        (name, status, in_force and f"{name}/{in_force}") for name, (status, _, in_force) in IMAGES.items()
    ]
    assert sorted(images) == sorted(expected)


@pytest.mark.slow
def test_the_backup_holds_what_lay_in_the_log(path: Path) -> None:
    code = """
        import os, sys, duckdb
        connection = duckdb.connect(sys.argv[1])
        connection.execute("UPDATE project SET name = 'in the log' WHERE id = 'kept'")
        os._exit(0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(path)], check=True, timeout=60)
    assert path.with_name(f"{path.name}.wal").exists()
    with opened(path) as store:
        assert [item.name for item in store.projects.list()] == ["in the log"]
    (copy,) = (path.parent / backup.FOLDER).iterdir()
    assert ("in the log",) in rows(copy, "SELECT name FROM project")


def test_a_new_database_and_one_that_is_up_to_date_are_not_backed_up(tmp_path: Path) -> None:
    for _ in range(2):
        with opened(tmp_path / "a.duckdb"):
            pass
    assert not (tmp_path / backup.FOLDER).exists()


def test_a_disk_without_room_for_the_backup_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(backup, "SPARE_BYTES", 2**60)
    with pytest.raises(StorageError, match="MiB of disk"):
        Database.open(path, QueryRecorder())
    assert path.read_bytes() == before
    monkeypatch.undo()
    monkeypatch.setattr("core.db.backup.os.fsync", _refuse)
    with pytest.raises(StorageError, match="could not be backed up"):
        Database.open(path, QueryRecorder())
    assert path.read_bytes() == before
    assert list((path.parent / backup.FOLDER).iterdir()) == []
    monkeypatch.undo()
    with opened(path) as store:
        assert store.projects.list()


def _refuse(_handle: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.slow
def test_an_app_that_runs_is_not_updated_under_its_feet(path: Path) -> None:
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DatabaseLocked):
            Database.open(path, QueryRecorder())
        with pytest.raises(DatabaseLocked):
            backup.back_up(path, 5)
        holder.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("place", range(6))
def test_a_kill_amid_the_update_leaves_one_state_or_the_other(path: Path, place: int) -> None:
    """Killed in the middle of the step, before and after its commit, and while the backup is made."""
    code = """
        import os, signal, sys
        from pathlib import Path
        from core.db import Database, backup, connection, statements
        from core.monitoring import QueryRecorder

        place = int(sys.argv[2])
        def die(*_): os.kill(os.getpid(), signal.SIGKILL)

        class Dying:
            def __init__(self, connection): self.connection = connection
            def __getattr__(self, name): return getattr(self.connection, name)
            def execute(self, text, *values):
                self.amid = "CREATE TABLE version" in text or (values and values[0][0] == 6)
                if self.amid and not values and place in (1, 2, 3):
                    parts = text.split(";")
                    self.connection.execute(";".join(parts[: len(parts) * place // 4]))
                    die()
                return self.connection.execute(text, *values)
            def commit(self):
                if self.amid and place == 4: die()
                self.connection.commit()
                if self.amid and place == 5: die()

        migrate = connection.migrate
        connection.migrate = lambda opened, steps: migrate(Dying(opened), steps)
        if place == 0: backup.os.fsync = die
        Database.open(Path(sys.argv[1]), QueryRecorder())
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(path), str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)
    assert done.returncode == -9, done.stderr
    segmented = {name for name, (_, jobs, _) in IMAGES.items() if "done" in jobs.values()}
    with opened(path) as store:
        assert store.images.get("done").n_objects == 3
        assert {name for name in IMAGES if store.results.versions(name)} == segmented
        assert store.jobs.recover(3) == 1
    copies = list((path.parent / backup.FOLDER).glob("*.duckdb"))
    assert copies
    assert len(rows(copies[0], "SELECT id FROM segmentation")) == len(rows(path, "SELECT id FROM version"))
