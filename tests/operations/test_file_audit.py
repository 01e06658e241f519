"""An audit names damaged and missing files by the images that need them, and Health shows its outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import cli
from core.db import Database
from core.files.blobs import Blobs
from core.models import Image
from core.monitoring import Recorder
from core.operations import file_audit
from core.operations.file_audit import OUTCOME_FILE, audit_files, last_outcome
from core.operations.health import HealthChecks, State
from core.operations.history import History
from core.store import Store
from tests.http.lab import MASK, Lab, disc

pytestmark = pytest.mark.slow

MEMORY_MB = 256


@pytest.fixture
def image(db: Database, store: Store, blobs: Blobs) -> Image:
    """A measured image in a lab of two, whose database is closed again."""
    lab = Lab(store, blobs)
    project = lab.project("Plate 1")
    lab.image(project, "other.png")
    image = lab.measured(lab.image(project, "A01.png"), disc())
    db.close()
    return image


def lines(folder: Path) -> list[str]:
    return list(audit_files(folder, MEMORY_MB).lines())


def test_whole_files_are_counted(image: Image, data_folder: Path) -> None:
    outcome = audit_files(data_folder, MEMORY_MB).outcome
    assert outcome.whole
    assert (outcome.n_damaged, outcome.n_missing) == (0, 0)
    assert outcome.n_files == len(list((data_folder / "blobs").glob("??/*"))) > 3
    assert outcome == last_outcome(data_folder)


def test_missing_and_damaged_files_are_named_with_their_images(
    image: Image, blobs: Blobs, data_folder: Path
) -> None:
    original = blobs.path(image.sha256)
    original.unlink()
    labels = next(path for path in data_folder.glob("blobs/??/*") if path.read_bytes() == MASK)
    labels.write_bytes(b"rotten")
    messages = lines(data_folder)
    assert f"missing: A01.png in the project Plate 1 (original): {original}" in messages
    assert f"damaged: A01.png in the project Plate 1 (outlines): {labels}" in messages
    assert not [line for line in messages if "other.png" in line]
    assert any("1 damaged, 1 missing" in line for line in messages)


def test_a_damaged_file_that_nothing_needs_is_named_by_its_path(
    image: Image, blobs: Blobs, data_folder: Path
) -> None:
    path = blobs.path(blobs.put(b"left over"))
    path.write_bytes(b"rotten")
    assert f"damaged: {path}" in lines(data_folder)


def test_beside_a_running_app_damage_is_found_and_the_rest_is_not_known(
    image: Image, blobs: Blobs, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> Database:
        raise file_audit.DatabaseLocked("Spheroscope is already running.")

    monkeypatch.setattr(file_audit.Database, "open", locked)
    path = blobs.path(image.sha256)
    path.write_bytes(b"rotten")
    result = audit_files(data_folder, MEMORY_MB)
    assert (result.outcome.n_damaged, result.outcome.n_missing) == (1, None)
    messages = list(result.lines())
    assert f"damaged: {path}" in messages
    assert any("Stop it to learn which files are missing" in line for line in messages)


def test_only_so_many_are_listed_and_all_are_counted(
    image: Image, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_audit, "MAX_LISTED", 2)
    for path in data_folder.glob("blobs/??/*"):
        path.unlink()
    result = audit_files(data_folder, MEMORY_MB)
    assert len(result.problems) == 2
    assert result.outcome.n_missing is not None
    assert result.outcome.n_missing > 3
    assert "Only the first 2 are listed." in result.lines()


def test_an_audit_leaves_the_parts_of_uploads_alone(image: Image, data_folder: Path) -> None:
    part = data_folder / "tmp" / "upload.part"
    part.write_bytes(b"half")
    audit_files(data_folder, MEMORY_MB)
    assert part.exists()


def test_the_command_ends_with_1_where_a_file_is_missing(
    image: Image,
    blobs: Blobs,
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(data_folder))
    assert cli.main(["audit"]) == cli.DONE
    blobs.path(image.sha256).unlink()
    assert cli.main(["audit"]) == cli.DAMAGED
    assert "missing: A01.png in the project Plate 1" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"at": 3}', '{"at": "2026-11-26T10:00:00", "more": 1}'])
def test_an_outcome_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / OUTCOME_FILE).write_text(text)
    assert last_outcome(tmp_path) is None


@pytest.mark.parametrize(
    ("damaged", "missing", "state", "words"),
    [
        (0, 0, State.GOOD, "1,204 stored files: 0 damaged, 0 missing."),
        (0, None, State.GOOD, "0 damaged, those missing are not known."),
        (2, 1, State.WATCH, "2 damaged, 1 missing. `python -m core audit`"),
    ],
)
def test_health_shows_the_last_outcome(
    db: Database, data_folder: Path, damaged: int, missing: int | None, state: State, words: str
) -> None:
    values = {"at": "2026-11-26T10:00:00", "n_files": 1204, "n_bytes": 5}
    values |= {"n_damaged": damaged, "n_missing": missing}
    checks = HealthChecks(data_folder, db, History(Recorder(enabled=False), data_folder, lambda: (0, 0)))
    assert "stored files" not in {check.name for check in checks.run()}
    (data_folder / OUTCOME_FILE).write_text(json.dumps(values))
    (check,) = (check for check in checks.run() if check.name == "stored files")
    assert check.state is state
    assert check.sentence.startswith("Audited on 2026-11-26: ")
    assert words in check.sentence
