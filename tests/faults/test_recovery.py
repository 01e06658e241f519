"""The steps of docs/recovery.md, taken: what they promise is there afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import BlobDamaged, DatabaseLocked, StorageError
from core.ingest import UploadOutcome
from core.models import Project
from core.operations.health import State, worst
from core.services import Services
from core.settings import ROOT, Settings
from tests import corpus
from tests.polling import wait_until

DOCUMENT = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
FILE = corpus.png(corpus.spheroid((96, 96)))


def opened(data: Path) -> Services:
    return Services.open(Settings(data=data))


def with_results(data: Path) -> tuple[Project, str]:
    """A project with one segmented image; the app is stopped."""
    services = opened(data)
    project = services.create_project("Plate 1")
    verdict = services.ingest.add(project.id, "a.png", FILE, services.recipe(project))
    services.queue.wake()
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    services.close()
    return project, verdict.image_ids[0]


def copy(source: Path, target: Path) -> None:
    """Step 2 of the backup."""
    shutil.copytree(source, target, ignore=lambda at, _: {"exports", "tmp"} if Path(at) == source else set())


def test_everything_that_is_kept_is_in_the_table(tmp_path: Path) -> None:
    with_results(tmp_path / "data")
    for path in (tmp_path / "data").iterdir():
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in DOCUMENT, path.name


def test_a_backup_brings_everything_back(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    project, image_id = with_results(data)
    copy(data, backup)
    data.rename(tmp_path / "damaged")
    copy(backup, data)
    services = opened(data)
    image = services.store.images.get(image_id)
    result = services.store.results.get(image)
    assert services.store.projects.get(project.id).name == "Plate 1"
    assert result is not None
    assert services.blobs.get(image.sha256) == FILE
    assert services.blobs.get(result[0].labels_sha256)
    assert worst(services.checks.run()) is not State.BAD
    services.close()


def test_what_was_in_work_at_the_backup_is_done_after_it(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    services = opened(data)
    services.queue.drain(5)
    project = services.create_project("Plate 1")
    services.ingest.add(project.id, "a.png", FILE, services.recipe(project))
    assert services.store.jobs.claim("a process that was stopped", "worker 1")
    services.close()
    copy(data, backup)
    restored = opened(backup)
    wait_until(lambda: restored.store.jobs.totals().left == 0, 60)
    assert restored.store.projects.get(project.id).counts["done"] == 1  # type: ignore[index]
    restored.close()


def test_a_damaged_file_is_uploaded_again_and_keeps_its_results(tmp_path: Path) -> None:
    project, image_id = with_results(tmp_path / "data")
    services = opened(tmp_path / "data")
    image = services.store.images.get(image_id)
    services.blobs.path(image.sha256).write_bytes(b"rotten")
    with pytest.raises(BlobDamaged, match="Upload the image again"):
        services.blobs.get(image.sha256)
    verdict = services.ingest.add(project.id, "a.png", FILE, None)
    assert verdict.outcome is UploadOutcome.PRESENT
    assert services.blobs.get(image.sha256) == FILE
    assert services.store.images.get(image_id).version_id == image.version_id
    services.close()


def test_a_damaged_log_is_moved_away_and_the_rest_is_there(tmp_path: Path) -> None:
    data, killed = tmp_path / "data", tmp_path / "killed"
    project, image_id = with_results(data)
    services = opened(data)
    for number in range(20):
        services.create_project(f"made just before the kill {number}")
    copy(data, killed)  # as a kill at this moment leaves it
    services.close()
    log = killed / "spheroscope.duckdb.wal"
    written = bytearray(log.read_bytes())
    written[-100] ^= 0xFF
    log.write_bytes(written)
    with pytest.raises(StorageError, match="cannot be opened"):
        opened(killed)
    log.rename(tmp_path / "moved away.wal")
    services = opened(killed)
    assert services.store.images.get(image_id).project_id == project.id
    services.close()


def test_the_charts_and_exports_may_be_deleted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _, image_id = with_results(data)
    (data / "metrics.duckdb").unlink()
    shutil.rmtree(data / "exports")
    shutil.rmtree(data / "tmp")
    services = opened(data)
    assert services.store.images.get(image_id)
    services.close()


def test_a_second_app_is_told_who_is_there(tmp_path: Path) -> None:
    services = opened(tmp_path / "data")
    try:
        with pytest.raises((DatabaseLocked, StorageError)) as caught:
            opened(tmp_path / "data")
        assert "already" in caught.value.message or "cannot be opened" in caught.value.message
    finally:
        services.close()


def test_words_of_the_document_are_those_of_the_program() -> None:
    """Whoever searches it for what the app says finds it."""
    program = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "core").rglob("*.py"))
    for message in (
        "The data folder cannot be written",
        "The database cannot be read",
        "refused to save",
        "Spheroscope is already running on",
        "cannot be opened",
        "This data folder was written by a newer Spheroscope",
        "of disk are free",
        "of memory are used",
        "Redis does not answer",
        "must be a number",
        "must be on or off",
    ):
        assert message in DOCUMENT, message
        assert message in program, message
