"""What is forced to the disk: files and folders, and a refusal is heard."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.files.fsync import fsync


def test_a_file_and_its_folder_are_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"kept")
    forced = []
    monkeypatch.setattr(os, "fsync", lambda handle: forced.append(os.fstat(handle).st_ino))
    fsync(file)
    fsync(tmp_path)
    assert forced == [file.stat().st_ino, tmp_path.stat().st_ino]


def test_a_missing_file_cannot_be_forced_to_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fsync(tmp_path / "a")
