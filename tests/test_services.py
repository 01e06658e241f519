"""The whole: opened and closed without a trace, shut to others, and at work from the moment it is open."""

from __future__ import annotations

import errno
import gc
import sys
import threading
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from core.db import Database
from core.errors import ServiceClosed, StorageError
from core.export.archive_store import ArchiveStore
from core.files.blobs import FOLDERS
from core.ingest import UploadOutcome
from core.models import ImageStatus, JobState
from core.monitoring.garbage import NEW_MODULES, freeze_loaded
from core.operations.retention import Retention, RetentionRules
from core.segmentation import DEFAULT_ENGINE
from core.services import Services, app_services, get_services
from core.settings import Settings
from tests import corpus
from tests.factories import RECIPE
from tests.polling import wait_until


@pytest.mark.slow
def test_an_upload_is_segmented_and_its_files_are_kept(services: Services) -> None:
    project = services.create_project("Plate 1", 1.5)
    assert project.engine == DEFAULT_ENGINE
    data = corpus.png(corpus.spheroid((200, 200)))
    verdict = services.ingest.add(project.id, "a.png", data, services.recipe(project))
    assert verdict.outcome is UploadOutcome.STORED
    services.queue.wake()
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    image = services.store.images.get(verdict.image_ids[0])
    assert (image.status, image.error) == (ImageStatus.DONE, None)
    stored = services.store.results.get(image)
    assert stored is not None
    assert image.n_objects == len(stored[1]) > 0
    assert services.blobs.get(stored[0].labels_sha256).startswith(b"\x89PNG")
    assert services.blobs.get(stored[0].thumbnail_sha256).startswith(b"RIFF")
    assert services.segment(project, verdict.image_ids) == 1
    assert services.segment(project, ()) == 0


@pytest.mark.slow
def test_other_settings_are_tried_without_the_engine(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = services.create_project("Plate 1")
    data = corpus.png(corpus.spheroid((200, 200)))
    (key,) = services.ingest.add(project.id, "a.png", data, services.recipe(project)).image_ids
    services.queue.wake()
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    image = services.store.images.get(key)
    stored = services.store.results.get(image)
    assert stored is not None
    assert image.confidence is not None

    def never(*_: object) -> None:
        raise AssertionError("the engine was asked again")

    monkeypatch.setattr("core.queue.previews.predict", never)
    same = services.preview(image, services.recipe_of(project.engine, {}))
    assert same.spheroids == stored[1]
    assert same.confidence == image.confidence
    fussy = services.preview(image, services.recipe_of(project.engine, {"min_diameter_px": 5000.0}))
    assert fussy.spheroids == ()
    for engine, params in (("classical", {}), (project.engine, {"polarity": "dark"})):
        with pytest.raises(AssertionError, match="asked again"):
            services.preview(image, services.recipe_of(engine, params))


@pytest.mark.slow
def test_waiting_jobs_are_segmented_after_the_next_start(settings: Settings) -> None:
    first = Services.open(settings)
    first.queue.drain(5)
    project = first.create_project("Plate 1")
    recipe = first.recipe(project)
    data = corpus.png(corpus.spheroid((200, 200)))
    (key,) = first.ingest.add(project.id, "a.png", data, recipe).image_ids
    assert first.close()
    second = Services.open(settings)
    wait_until(lambda: second.store.images.get(key).status is ImageStatus.DONE, 60)
    assert second.close()


def test_a_recipe_of_an_engine_that_is_gone_fails_with_a_reason(services: Services) -> None:
    project = services.create_project("Plate 1")
    (key,) = services.ingest.add(project.id, "a.png", corpus.png(corpus.spheroid()), RECIPE).image_ids
    services.queue.wake()
    wait_until(lambda: services.store.images.get(key).status is ImageStatus.FAILED, 30)
    assert services.store.jobs.page(JobState.FAILED).items[0].error


def test_closing_twice_is_closing_once(settings: Settings) -> None:
    services = Services.open(settings)
    assert services.close()
    assert services.close()
    with pytest.raises(ServiceClosed):
        services.store.projects.list()


def test_a_start_that_fails_leaves_nothing_open(settings: Settings) -> None:
    before = set(threading.enumerate())
    (settings.data / "blobs").write_text("a file in the way")
    with pytest.raises(StorageError):
        Services.open(settings)
    wait_until(lambda: set(threading.enumerate()) <= before, what="threads to end")
    (settings.data / "blobs").unlink()
    Services.open(settings).close()


def test_a_disk_that_fails_during_the_start_ends_it_with_a_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: ArchiveStore) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = set(threading.enumerate())
    monkeypatch.setattr(ArchiveStore, "load", fail)
    with pytest.raises(StorageError, match=r"^The data folder .* cannot be used: Input/output error\.$"):
        Services.open(settings)
    wait_until(lambda: set(threading.enumerate()) <= before, what="threads to end")
    monkeypatch.undo()
    Services.open(settings).close()


def test_files_that_nothing_needs_go_with_what_is_purged(settings: Settings) -> None:
    services = Services.open(settings)
    project = services.create_project("Plate 1")
    keep = services.ingest.add(project.id, "keep.png", corpus.png(corpus.noise(seed=1)), None)
    drop = services.ingest.add(project.id, "drop.png", corpus.png(corpus.noise(seed=2)), None)
    needed, dropped = (services.store.images.get(item.image_ids[0]) for item in (keep, drop))
    services.store.images.delete(project.id, [dropped.id])
    _age(services.db)
    retention = Retention(
        services.store.retention, services.blobs, RetentionRules(7, 30), safe_age_seconds=-1
    )
    retention.purge()
    for folder in FOLDERS:
        retention.sweep(folder)
    assert services.blobs.path(needed.sha256).exists()
    assert services.blobs.path(needed.thumbnail_sha256).exists()
    assert not services.blobs.path(dropped.sha256).exists()
    services.close()


def _age(db: Database) -> None:
    statement = "UPDATE image SET deleted_at = deleted_at - INTERVAL 8 DAY WHERE deleted_at IS NOT NULL"
    db.write(lambda session: session._cursor.execute(statement) and None)


def test_a_cleared_cache_closes_the_services_before_others_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path / "data"))
    try:
        first = get_services()
        assert get_services() is first
        app_services.clear()  # "Clear cache" in Streamlit's menu
        with pytest.raises(ServiceClosed):
            first.store.projects.list()
        assert get_services().store.projects.list() == ()
    finally:
        app_services.clear()
        gc.unfreeze()


@pytest.mark.slow
def test_modules_loaded_later_are_frozen_once(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        freeze_loaded()
        before = gc.get_freeze_count()
        freeze_loaded()
        assert gc.get_freeze_count() == before
        many = {f"loaded later {number}": ModuleType("later") for number in range(NEW_MODULES)}
        for name, module in many.items():
            monkeypatch.setitem(sys.modules, name, module)
        freeze_loaded()
        assert gc.get_freeze_count() > before
        assert not [module for module in gc.get_objects() if any(module is item for item in many.values())]
    finally:
        gc.unfreeze()


@pytest.mark.slow
def test_fifty_openings_leave_no_thread_and_no_file_open(tmp_path: Path) -> None:
    process = psutil.Process()
    Services.open(Settings(data=tmp_path)).close()
    files, threads = process.num_fds(), threading.active_count()
    for _ in range(50):
        assert Services.open(Settings(data=tmp_path)).close()
    assert process.num_fds() - files <= 2
    assert threading.active_count() - threads <= 2
