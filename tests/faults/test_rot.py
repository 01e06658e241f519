"""What rots on the disk is told of, never passed over: the database's log, and a stored file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import cli
from core.db import Database
from core.errors import BlobDamaged, StorageError
from core.files.blobs import Blobs
from core.models import JobState
from core.monitoring import QueryRecorder
from core.store import Store
from tests.factories import ENGINE
from tests.faults.child import NURSERY, Plan, main
from tests.faults.test_kill import lay_out, run_to_the_end


def write_and_die(folder: Path) -> None:
    """Commit two hundred projects one by one, and end without closing."""
    store = Store(Database.open(folder / "spheroscope.duckdb", QueryRecorder()))
    for number in range(200):
        store.projects.create(f"Project {number}", ENGINE)
    os._exit(0)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.8])
def test_a_damaged_log_is_refused_or_told_of(tmp_path: Path, place: float) -> None:
    process = NURSERY.Process(target=write_and_die, args=(tmp_path,))
    process.start()
    process.join(120)
    wal = tmp_path / "spheroscope.duckdb.wal"
    content = bytearray(wal.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    wal.write_bytes(content)
    try:
        db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    except StorageError:  # it refuses, which is told
        return
    there = len(Store(db).projects.list())
    assert (db.lost_commits > 0) == (there < 200)
    db.close()
    again = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    assert again.lost_commits == 0  # told of once, then the count goes on from what there is
    again.close()


def test_a_sound_log_after_a_kill_is_not_complained_of(tmp_path: Path) -> None:
    process = NURSERY.Process(target=write_and_die, args=(tmp_path,))
    process.start()
    process.join(120)
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    assert (len(Store(db).projects.list()), db.lost_commits) == (200, 0)
    db.close()


def test_an_audit_finds_a_file_that_lost_a_bit_behind_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blobs = Blobs(tmp_path)
    names = [blobs.put(bytes([number]) * 1000) for number in range(20)]
    path, times = blobs.path(names[7]), (10**18, 10**18)
    os.utime(path, ns=times)
    blobs.path_of(names[7])
    path.write_bytes(b"\x08" + bytes([7]) * 999)
    os.utime(path, ns=times)
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path))
    assert cli.main(["audit"]) == cli.DAMAGED
    messages = capsys.readouterr().err
    assert f"damaged: {path}" in messages
    assert "20 stored files" in messages
    with pytest.raises(BlobDamaged):
        Blobs(tmp_path).get(names[7])  # the first read of the next process
    Blobs(tmp_path).put(bytes([7]) * 1000)
    assert cli.main(["audit"]) == cli.DONE


def test_one_rotten_file_of_a_hundred_fails_its_image_alone_and_says_why(tmp_path: Path) -> None:
    lay_out(tmp_path, [f"{number}" for number in range(100)])
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(tmp_path)
    victim = store.jobs.page(JobState.QUEUED, limit=100).items[42]
    blobs.path(victim.sha256).write_bytes(b"rotten")
    with pytest.raises(BlobDamaged):
        blobs.get(victim.sha256)
    db.close()
    assert run_to_the_end(tmp_path, Plan(seconds=0.001)) == 0
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    counts = Store(db).jobs.totals().counts
    image = Store(db).images.get(victim.image_id)
    db.close()
    assert (counts[JobState.DONE], counts[JobState.FAILED]) == (99, 1)
    assert image.error_code == "blob_damaged"
    assert main  # the child's own entry, imported so that the nursery knows it
