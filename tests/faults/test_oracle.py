"""The oracle itself: a sound folder passes, and every damage that it is there for is noticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.db import Database
from core.errors import BlobDamaged, BlobMissing, SegmentationError
from core.files.blobs import Blobs
from core.monitoring import QueryRecorder
from core.store import NewImage, Store
from core.store.results import Result
from tests.factories import ENGINE, RECIPE, claim, new_image, spheroid
from tests.faults import oracle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One image done, one failed, one that waits."""
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(tmp_path)
    project = store.projects.create("Sound", ENGINE)
    rows = [
        NewImage(key, key, blobs.put(key.encode()), 1, new_image(key).facts, blobs.put(b"t")) for key in "abc"
    ]
    store.add_images(project.id, tuple(rows), RECIPE)
    spheroids = (spheroid(1), spheroid(2))
    labels, thumbnail = blobs.put(b"labels"), blobs.put(b"thumbnail")
    store.results.finish(claim(store), Result(ENGINE, "1", {}, spheroids, labels, thumbnail, {}))
    store.jobs.fail(claim(store), SegmentationError("no"))
    db.close()
    return tmp_path


def test_the_table_of_faults_is_whole_and_names_tests_that_there_are() -> None:
    here = Path(__file__).parent
    table = (here / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (F\d+) \|", table, re.MULTILINE) == [f"F{number}" for number in range(1, 22)]
    for name in re.findall(r"`(?:tests/)?(test_\w+)(?:\.py)?`", table):
        assert (here / f"{name}.py").exists() or (here.parent / f"{name}.py").exists(), name


def test_a_sound_folder_passes(folder: Path) -> None:
    assert oracle.check(folder) == {"done": 1, "failed": 1, "queued": 1}


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM object WHERE number = 2",
        "INSERT INTO object SELECT * FROM object WHERE number = 1",
        "UPDATE object SET version_id = 'other'",
        "UPDATE object SET image_id = 'b'",
        "DELETE FROM version",
        "UPDATE job SET state = 'queued' WHERE state = 'done'",
        "UPDATE job SET state = 'done' WHERE state = 'queued'",
        "UPDATE job SET attempt = 0",
        "UPDATE job SET image_id = 'nobody' WHERE image_id = 'c'",
        "UPDATE job SET image_id = 'b' WHERE image_id = 'c'",
        "UPDATE image SET status = 'running' WHERE id = 'c'",
        "UPDATE image SET error_code = NULL",
        "UPDATE image SET n_objects = 3 WHERE id = 'a'",
        "DELETE FROM image WHERE id = 'b'",
    ],
)
def test_a_damaged_table_is_noticed(folder: Path, damage: str) -> None:
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    db.write(lambda session: session._cursor.execute(damage) and None)
    db.close()
    with pytest.raises(AssertionError):
        oracle.check(folder)


def test_damaged_files_are_noticed(folder: Path) -> None:
    (folder / "tmp" / "x.part").write_bytes(b"half")
    with pytest.raises(AssertionError):
        oracle.check(folder)
    (folder / "tmp" / "x.part").unlink()
    one, *others = sorted(path for path in (folder / "blobs").rglob("*") if path.is_file())
    one.write_bytes(b"rotten")
    with pytest.raises(BlobDamaged):
        oracle.check(folder)
    one.unlink()
    with pytest.raises(BlobMissing):
        oracle.check(folder)
    assert others
