"""The history of corrections in an archive."""

from __future__ import annotations

import csv
import io
import json

from core.corrections.review import Reviews
from core.export.request import Part
from core.models import ReviewState, Verdict
from core.store import Store
from tests.export.conftest import Pack
from tests.http.lab import Lab, disc


def test_an_archive_has_every_change_with_its_hash(lab: Lab, pack: Pack, store: Store) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.png"), disc())
    other = lab.measured(lab.image(project, "b.png"), disc())
    assert "history.csv" not in pack(project, Part.CSV).namelist(), "where nobody has changed anything"
    for item in (image, other):
        Reviews(store).judge(item.id, item.version_id, Verdict(ReviewState.EXCLUDED, "debris"), "=ada")
    archive = pack(project, Part.CSV)
    rows = list(csv.DictReader(io.StringIO(archive.read("history.csv").decode(), newline="")))
    assert [(row["path"], row["who"], row["action"]) for row in rows] == [
        ("a.png", "'=ada", "reviewed"),
        ("b.png", "'=ada", "reviewed"),
    ]
    lines = [json.loads(line) for line in archive.read("history.json").decode().splitlines()]
    assert [line["facts"]["reason"] for line in lines] == ["debris", "debris"]
    assert lines[1]["previous_hash"] == lines[0]["hash"] == rows[0]["hash"]
    few = pack(project, Part.CSV, ids=(other.id,))
    assert len(few.read("history.json").decode().splitlines()) == 1
    images = list(csv.DictReader(io.StringIO(archive.read("images.csv").decode(), newline="")))
    assert {(row["review"], row["review_reason"]) for row in images} == {("excluded", "debris")}
    assert b"2 images were excluded from statistics by a person: debris (2)." in archive.read("METHODS.txt")
