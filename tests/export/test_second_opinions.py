"""Second opinions in an archive: rows of their own, and never a result."""

from __future__ import annotations

import csv
import io
import json

from core.corrections import Region, regions_of
from core.corrections.review import Reviews
from core.corrections.second_opinions import Drawing, SecondOpinions
from core.export.request import Part
from core.files.blobs import Blobs
from core.models import Limits, ReviewState, Verdict
from core.queue.admission import Admission
from core.store import Store
from tests import corpus
from tests.corrections.conftest import automatic, labels, pixels
from tests.export.conftest import Pack
from tests.factories import claim
from tests.http.lab import RECIPE, Lab


def test_an_archive_has_every_drawing_with_who_made_it_and_how_far_it_agrees(
    lab: Lab, pack: Pack, store: Store, blobs: Blobs
) -> None:
    project = lab.project()
    image = lab.image(project, "a.png", corpus.png(pixels()))
    store.jobs.enqueue(project.id, [image.id], RECIPE)
    assert store.results.finish(claim(store), automatic(blobs, labels()))
    image = store.images.get(image.id)
    Reviews(store).judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "=ada")
    before = pack(project, Part.CSV)
    assert "second_opinions.csv" not in before.namelist()
    second = SecondOpinions.open(store, blobs, Limits(), Admission(2**30))
    drawn = regions_of(labels())[1]
    second.add(image.id, Drawing("a", str(image.version_id), (drawn,), seconds=12.5), "bo")
    archive = pack(project, Part.CSV)
    (row,) = csv.DictReader(io.StringIO(archive.read("second_opinions.csv").decode(), newline=""))
    assert (row["path"], row["judged_by"], row["drawn_by"]) == ("a.png", "'=ada", "bo")
    assert (row["n_drawn"], row["n_either"], row["n_both"], row["iou"]) == ("1", "2", "1", "1.0")
    assert (row["engine_n_both"], row["diameter_change"], row["seconds"]) == ("1", "0.0", "12.5")
    (line,) = [json.loads(text) for text in archive.read("second_opinions.json").decode().splitlines()]
    assert [Region.from_json(item) for item in line["outlines"]] == [drawn]
    assert line["sha256"] == row["sha256"]
    for table in ("images.csv", "objects.csv"):
        assert archive.read(table) == before.read(table), "it is no result"
    assert "second opinion" in archive.read("history.csv").decode()
