"""The chore of retention: what is due when, and files that go without taking one that is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.files.blobs import FOLDERS, Blobs
from core.models import Project
from core.monitoring import Recorder
from core.operations import history
from core.operations.history import History
from core.operations.retention import PURGE_SECONDS, SWEEP_SECONDS, Retention, RetentionRules
from core.store import Store
from tests.factories import add, finish
from tests.polling import wait_until

RULES = RetentionRules(undo_days=7, keep_versions_days=30)


class Counting(Retention):
    """Counts what it was asked to do, by a clock of its own."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self.now = 0.0
        super().__init__(store.retention, blobs, RULES, clock=lambda: self.now)
        self.purges = 0
        self.swept: list[str] = []

    def purge(self) -> None:
        self.purges += 1

    def sweep(self, folder: str) -> None:
        self.swept.append(folder)


def test_rows_are_purged_every_hour_and_one_folder_is_swept_a_minute(store: Store, blobs: Blobs) -> None:
    chore = Counting(store, blobs)
    for _ in range(3):
        chore.run_due()
    assert (chore.purges, chore.swept) == (1, ["00"])
    chore.now = SWEEP_SECONDS
    chore.run_due()
    assert (chore.purges, chore.swept) == (1, ["00", "01"])
    for turn in range(2, len(FOLDERS) + 1):
        chore.now = turn * SWEEP_SECONDS
        chore.run_due()
    assert chore.swept == [*FOLDERS, "00"]
    assert chore.purges == 1 + int(len(FOLDERS) * SWEEP_SECONDS // PURGE_SECONDS)


def test_a_purge_that_fails_does_not_keep_files_from_being_swept(
    store: Store, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    chore = Counting(store, blobs)
    monkeypatch.setattr(chore, "purge", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        chore.run_due()
    chore.run_due()
    assert chore.swept == ["00"]


def test_it_runs_while_the_app_does(
    store: Store, blobs: Blobs, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr("core.operations.retention.SWEEP_SECONDS", 0.0)
    add(store, project.id, "a")
    finish(store, "a")
    store.images.delete(project.id, ["a"])
    sha256 = blobs.put(b"of nobody")
    rules = RetentionRules(undo_days=-1, keep_versions_days=30)
    chore = Retention(store.retention, blobs, rules, safe_age_seconds=-1)
    periodic = History(Recorder(enabled=False), tmp_path, lambda: (0, 0), periodic_tasks=[chore.run_due])
    periodic.start()
    try:
        wait_until(lambda: not blobs.path(sha256).exists(), what="the sweep")
        assert store.images.restore(project.id, ["a"]) == 0
    finally:
        periodic.close()
