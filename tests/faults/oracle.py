"""What must hold of a data folder that nobody has open, whatever happened to those who had."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from core.db import Database
from core.files.blobs import Blobs
from core.monitoring import QueryRecorder

Rows = list[tuple[Any, ...]]


def check_killed(folder: Path) -> Counter[str]:
    """As ``check``, of what a kill has just left behind, but for the parts that the next start takes away.

    It looks at a copy: opening a database repairs it, which is for the next start to do.
    """
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(folder, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.part"))
        return check(Path(copy))


def check(folder: Path) -> Counter[str]:
    """Check every invariant; return how many jobs stand in each state.

    Every image has files that are what was stored; every job has its image, one job an image and recipe; a
    job that is done has exactly its version and objects, and no other has any; what an image says of
    itself is what its job and its result say; no file is left half written.
    """
    left = [path.name for path in (folder / "tmp").glob("*.part")]
    assert left == [], "the last one that started takes away what earlier ones left"
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    try:
        tables = {name: _rows(db, columns, name) for name, columns in _COLUMNS.items()}
    finally:
        db.close()
    _check_files(Blobs(folder), tables)
    _check_jobs(tables)
    _check_results(tables)
    return Counter(state for _, _, state, _, _ in tables["job"])


_COLUMNS = {
    "image": "id, sha256, thumbnail_sha256, status::VARCHAR, version_id, n_objects, error_code",
    "job": "id, image_id, state::VARCHAR, attempt, error_code",
    "version": "id, image_id, labels_sha256, thumbnail_sha256, maps_sha256, job_id",
    "object": "version_id, image_id, number",
}


def _rows(db: Database, columns: str, table: str) -> Rows:
    with db.read() as session:
        rows: Rows = session._cursor.execute(f"SELECT {columns} FROM {table}").fetchall()
    return rows


def _check_files(blobs: Blobs, tables: dict[str, Rows]) -> None:
    for _, sha256, thumbnail, *_ in tables["image"]:
        blobs.get(sha256)
        blobs.get(thumbnail)
    for _, _, *files, _ in tables["version"]:
        for sha256 in files:
            if sha256 is not None:
                blobs.get(sha256)


def _check_jobs(tables: dict[str, Rows]) -> None:
    images = {row[0]: row for row in tables["image"]}
    made_by = {row[0]: row[-1] for row in tables["version"]}
    assert len(images) == len(tables["image"]), "an image twice"
    by_image = Counter(image_id for _, image_id, *_ in tables["job"])
    assert set(by_image) <= set(images), "a job of no image"
    assert set(by_image.values()) <= {1}, "an image with two jobs"
    for job_id, image_id, state, attempt, error_code in tables["job"]:
        status, version_id, code = (images[image_id][place] for place in (3, 4, 6))
        assert status == ("new" if state == "cancelled" else state), job_id
        assert attempt > 0 or state in {"queued", "cancelled"}, job_id
        assert (made_by.get(version_id) == job_id) == (state == "done"), job_id
        if state == "failed":
            assert code == error_code, job_id
            assert code, job_id


def _check_results(tables: dict[str, Rows]) -> None:
    done = {job_id: image_id for job_id, image_id, state, *_ in tables["job"] if state == "done"}
    versions = {row[0]: row[1] for row in tables["version"]}
    assert {row[-1]: row[1] for row in tables["version"]} == done
    assert len(tables["version"]) == len(done), "a version twice"
    expected = Counter({image[4]: image[5] for image in tables["image"] if image[4]})
    assert Counter(row[0] for row in tables["object"]) == +expected
    assert len({(row[0], row[2]) for row in tables["object"]}) == len(tables["object"]), "an object twice"
    assert all(versions[row[0]] == row[1] for row in tables["object"])
