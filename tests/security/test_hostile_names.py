"""T1: whatever a file is called, its name stays text: files on the disk are named by their content."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.files.blobs import Blobs
from core.ingest import MAX_NAME, Ingest, UploadOutcome
from core.models import Limits, Project
from core.store import Store
from tests import corpus

UP = ("..", "%2e%2e", "..%2f..", "..\\..", "....//....", "%252e%252e", "..%c0%af..", "．．")
DEVICES = ("CON", "aux.png", "NUL", "com1.tif", "LPT9", "PRN.", "clock$", "con:stream")
INVISIBLE = (
    "a\0b",
    "\0",
    "a\nb",
    "a\r\nSet-Cookie: x",
    "\x1b[2J",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "\ufeffa",
)
LONG = ("x" * 10_240, "x" * 255 + ".png", "é" * 5000, "../" * 3000 + "passwd", "a" * 199 + "/b", "💥" * 300)
ODD = ("", " ", ".", "..", "...", "-rf", "~", "$HOME", "`id`", "$(id)", ";rm -rf .", "|", "*", "?", "<", ">")
PATHS = (
    *(f"{up}/{up}/etc/passwd" for up in UP),
    *("/etc/passwd", "//host/share/a.png", "\\\\host\\share\\a.png", "C:\\boot.ini", "c:a.png", "file:///a"),
)
OURS = ("data/spheroscope.duckdb", "blobs/00/x", "tmp/x.part", "uploads/x", "access.key", "a.duckdb.wal")
LOOKALIKES = ("ａ/ｂ.png", "∕etc∕passwd", "⁄etc", "a／b", "İ.png", "ﬁ.png")
NAMES = (*PATHS, *DEVICES, *INVISIBLE, *LONG, *ODD, *OURS, *LOOKALIKES)
ON_DISK = re.compile(r"blobs/[0-9a-f]{2}/[0-9a-f]{64}|(spheroscope|metrics)\.(duckdb(\.wal)?|commits)")


def check(root: Path, blobs: Blobs, project: Project, store: Store, name: str) -> None:
    """Take in a file of its own under ``name``, and look at every path below ``root`` afterwards."""
    others = {path for path in root.iterdir() if path.name != "data"}
    data = corpus.png(corpus.noise((3, 4))) + name.encode("utf-8", "replace")
    verdict = Ingest(store, blobs, Limits()).add(project.id, name, data, None)
    assert verdict.outcome in (UploadOutcome.STORED, UploadOutcome.PRESENT), verdict.message
    shown = store.images.get(verdict.image_ids[0]).name
    assert 0 < len(shown) <= MAX_NAME
    assert not [char for char in shown if unicodedata.category(char)[0] == "C"], "control or bidi characters"
    assert not set(shown) & set("/\\")
    files = {
        path.relative_to(root / "data").as_posix() for path in (root / "data").rglob("*") if path.is_file()
    }
    assert not [path for path in files if not ON_DISK.fullmatch(path)]
    assert {path for path in root.iterdir() if path.name != "data"} == others


def test_a_hostile_name_makes_no_file_of_its_name(
    tmp_path: Path, store: Store, blobs: Blobs, project: Project
) -> None:
    assert len(set(NAMES)) >= 60
    for name in NAMES:
        check(tmp_path, blobs, project, store, name)


@pytest.mark.full
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=300) | st.text("./\\%0ac:~ \0\u202e", max_size=60))
def test_no_name_at_all_makes_a_file_of_its_name(
    tmp_path: Path, store: Store, blobs: Blobs, project: Project, name: str
) -> None:
    check(tmp_path, blobs, project, store, name)
