"""The history shows what was altered, and the command says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import cli
from core.db import Database
from core.models import Image
from core.monitoring import QueryRecorder
from core.store import Store
from core.store.correction_audit import CorrectionAction, record

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_whole_history_is_said_to_be_so(
    folder: Path, image: Image, store: Store, db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        db.write(
            lambda session, n=number: record(session, "ada", image.id, CorrectionAction.CHANGED, {"n": n})
        )  # type: ignore[misc]
    head = store.correction_audit.verify().head
    db.close()
    assert cli.main(["verify-history"]) == 0
    assert "3 changes, none altered" in (text := capsys.readouterr().err)
    assert head in text


@pytest.mark.parametrize(
    ("tampering", "first"),
    [
        ("UPDATE correction_audit SET who = 'eve' WHERE sequence = 2", 2),
        ("UPDATE correction_audit SET facts = '{}' WHERE sequence = 3", 3),
        ("DELETE FROM correction_audit WHERE sequence = 2", 3),
        ("DELETE FROM correction_audit WHERE sequence = 1", 2),
    ],
)
def test_what_was_altered_is_named(
    folder: Path,
    image: Image,
    db: Database,
    tampering: str,
    first: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(3):
        db.write(
            lambda session, n=number: record(session, "ada", image.id, CorrectionAction.CHANGED, {"n": n})
        )  # type: ignore[misc]
    db.write(lambda session: session._cursor.execute(tampering) and None)
    db.close()
    assert cli.main(["verify-history"]) == 1
    assert f"number {first} is not" in capsys.readouterr().err


def test_an_empty_history_is_whole(folder: Path) -> None:
    Database.open(folder / "spheroscope.duckdb", QueryRecorder()).close()
    assert cli.main(["verify-history"]) == 0
