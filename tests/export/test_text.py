"""Exports of what is stored: the same text as the command line writes, in pieces, with nothing left open."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import __version__, export
from core.db import Database
from core.errors import ImageUnreadable
from core.export import text
from core.files.blobs import Blobs
from core.listing import csv_table, export_rows
from core.models import (
    MEASUREMENTS,
    Image,
    PageFacts,
    PixelSizeSource,
    Project,
    Segmentation,
    Spheroid,
)
from core.monitoring import QueryRecorder
from core.store import Store
from tests.http.lab import RECIPE, Lab, disc

MANY = 10**6


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "test.duckdb", QueryRecorder())
    yield opened
    opened.close()


@pytest.fixture
def lab(db: Database, tmp_path: Path) -> Lab:
    return Lab(Store(db), Blobs(tmp_path))


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def objects_text(lab: Lab, project: Project) -> str:
    return "".join(export.objects_csv(lab.store.results.objects(project.id, MANY)))


def images_text(lab: Lab, project: Project) -> str:
    return "".join(export.images_csv(lab.store.results.images(project.id, MANY)))


def segmentation(*spheroids: Spheroid) -> Segmentation:
    labels = np.zeros((1, 1), np.int32)
    return Segmentation(labels, spheroids, RECIPE.engine, RECIPE.engine_version, dict(RECIPE.params), {})


@pytest.mark.parametrize("um_per_px", [None, 2.5, 1.36])
def test_objects_are_written_as_the_command_line_writes_them(lab: Lab, um_per_px: float | None) -> None:
    project = lab.project(um_per_px=um_per_px)
    spheroids = (disc(1, 3.0, solidity=None, feret_max=1 / 3), disc(2, 10.0, touches_border=True))
    lab.measured(lab.image(project, "=a.tif"), *spheroids)
    expected = io.StringIO(newline="")
    size = export_rows.UsedPixelSize(um_per_px, None if um_per_px is None else PixelSizeSource.PROJECT)
    file = export_rows.SourceFile("=a.tif", "=a.tif")
    version_id = lab.store.images.page(project.id).items[0].version_id
    in_app = {"version_id": version_id, "outline_version_id": version_id, "review": "unseen"}
    csv_table.write_csv(
        (row | in_app for row in export_rows.measured_objects(file, segmentation(*spheroids), size)),
        export_rows.OBJECT_HEADER,
        expected,
    )
    assert objects_text(lab, project) == expected.getvalue()


def test_images_are_written_as_the_command_line_writes_them(lab: Lab) -> None:
    project = lab.project(um_per_px=2.5)
    image = lab.measured(lab.image(project, "a.tif"), disc(1, 3.0), disc(2, 10.0))
    error = ImageUnreadable("Cut short.")
    lab.failed(lab.image(project, "b.tif"), error)
    size = export_rows.UsedPixelSize(image.um_per_px, image.um_per_px_source)
    result = segmentation(disc(1, 3.0), disc(2, 10.0))
    done, failed = read(images_text(lab, project))
    for row, path, outcome in ((done, "a.tif", result), (failed, "b.tif", error)):
        expected = io.StringIO(newline="")
        stored = next(item for item in lab.store.images.page(project.id).items if item.name == path)
        file = export_rows.SourceFile(path, path, lab.store.images.get(stored.id).sha256)
        row_of_batch = export_rows.measured_image(
            file, _facts(image), size, outcome, image.seconds if row is done else None
        )
        # what only an app knows: the version, and that nobody has reviewed it
        row_of_batch |= {"version_id": stored.version_id, "review": stored.review}
        csv_table.write_csv([row_of_batch], export_rows.IMAGE_HEADER, expected)
        assert [row] == read(expected.getvalue())


def _facts(image: Image) -> PageFacts:
    about = (image.page, image.width, image.height, image.channels, image.dtype, image.bit_depth)
    return PageFacts(*about, image.um_per_px_file, image.um_per_px_from)


def test_rows_come_by_image_name_and_number(lab: Lab) -> None:
    project, other = lab.project("One"), lab.project("Two")
    for name in ("b.tif", "a.tif"):
        lab.measured(lab.image(project, name), disc(2), disc(1))
    lab.measured(lab.image(other, "c.tif"), disc())
    rows = read(objects_text(lab, project))
    assert [(row["path"], row["object"]) for row in rows] == [
        ("a.tif", "1"),
        ("a.tif", "2"),
        ("b.tif", "1"),
        ("b.tif", "2"),
    ]


def test_uncalibrated_rows_have_no_micrometres(lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc())
    (row,) = read(objects_text(lab, project))
    twins = [column.name + column.dimension.um_suffix for column in MEASUREMENTS if column.dimension.power]
    assert {row[name] for name in twins} == {""}
    (image,) = read(images_text(lab, project))
    assert (image["um_per_px"], image["um_per_px_source"], image["largest_equivalent_diameter_um"]) == (
        ("",) * 3
    )
    assert float(image["largest_equivalent_diameter_px"]) > 0


def test_images_that_were_not_segmented_stand_there_empty(lab: Lab) -> None:
    project = lab.project()
    lab.image(project, "a.tif")
    (row,) = read(images_text(lab, project))
    assert (row["path"], row["status"], row["width_px"], row["bit_depth"]) == ("a.tif", "new", "53", "8")
    assert {row[name] for name in ("n_objects", "engine", "engine_version", "params", "seconds")} == {""}
    assert row["spheroscope_version"] == __version__


def test_a_limit_is_kept(lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), *(disc(number) for number in range(1, 6)))
    written = "".join(export.objects_csv(lab.store.results.objects(project.id, 3)))
    assert [row["object"] for row in read(written)] == ["1", "2", "3"]
    size = lab.store.results.size(project.id)
    assert (size.images, size.objects) == (1, 5)


def row_of(number: int) -> dict[str, Any]:
    return {
        "path": f"image {number}.tif",
        "image_name": f"image {number}.tif",
        "um_per_px": 2.0,
        "um_per_px_source": "file",
        "review": "unseen",
        "review_reason": None,
        "number": 1,
        "engine": "classical",
        "engine_version": "3",
        "params": '{"a": 1}',
        "version_id": "v",
        "version_kind": "automatic",
        "outline": None,
        "outline_version_id": None,
        "confidence": 0.9,
        "reasons": "{}",
        **disc().measurements,
    }


def test_a_long_table_comes_in_pieces_and_in_constant_memory() -> None:
    count = 4_000
    rows = (row_of(number) for number in range(count))
    next(export.objects_csv(row_of(number) for number in range(1)))  # what is kept from the first use on
    tracemalloc.start()
    try:
        pieces = lines = 0
        for piece in export.objects_csv(rows):
            pieces += 1
            lines += piece.count("\r\n")
            assert len(piece) < text.PIECE_CHARACTERS + 2000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines == count + 1
    assert pieces > 10
    assert peak < 800_000  # the text is over a megabyte long, as are the rows


def test_the_cursor_is_closed_at_the_end_and_by_who_stops_early(
    lab: Lab, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), *(disc(number) for number in range(1, 400)))
    monkeypatch.setattr(text, "PIECE_CHARACTERS", 1000)
    cursors = Counting(db._connection)
    monkeypatch.setattr(db, "_connection", cursors)
    objects_text(lab, project)
    assert (cursors.opened, cursors.closed) == (1, 1)
    with closing(export.objects_csv(lab.store.results.objects(project.id, MANY))) as pieces:
        assert cursors.opened == 1  # nothing is held until the first piece is asked for
        next(pieces)
        assert (cursors.opened, cursors.closed) == (2, 1)
    assert (cursors.opened, cursors.closed) == (2, 2)


class Counting:
    """A connection that counts its cursors."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.opened = self.closed = 0

    def cursor(self) -> Any:
        self.opened += 1
        return _Counted(self, self._connection.cursor())

    def close(self) -> None:
        self._connection.close()


class _Counted:
    def __init__(self, counting: Counting, cursor: Any) -> None:
        self._counting = counting
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def close(self) -> None:
        self._counting.closed += 1
        self._cursor.close()
