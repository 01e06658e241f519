"""Archives: every part says the same of an image, in the format that other programs read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import polars as pl
import pytest
import roifile
import xlsxwriter
from pycocotools import mask as coco_mask

from core import __version__
from core.errors import InvalidRequest, StorageError
from core.export import parquet, spreadsheets
from core.export.builder import ArchiveBuilder
from core.export.request import ExportRequest, Part
from core.images import label_png
from core.listing import csv_table, export_rows, image_table, object_table
from core.listing.columns import Column
from core.models import Project
from core.queue.admission import Admission
from core.settings import Settings
from core.store import Recipe
from core.store.results import Correction, Result
from tests import corpus
from tests.export.conftest import Pack
from tests.http.lab import MASK, Lab, disc

ROOT = Path(__file__).parents[2]

FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "plain", "a,b", '"=1"']


def ring_and_bar() -> np.ndarray:
    """Labels (40, 50): 1 has a hole and touches the left edge, 2 two pixels that meet at a corner, 3 a bar in
    the last column."""
    labels = np.zeros((40, 50), np.int32)
    labels[5:25, 0:20] = 1
    labels[10:15, 5:12] = 0
    labels[30, 30] = labels[31, 31] = 2
    labels[0:40, 49] = 3
    return labels


def picture(name: str) -> bytes:
    return corpus.png(corpus.noise((40, 50), seed=sum(name.encode())))


def measured(lab: Lab, project: Project, name: str = "a.png") -> np.ndarray:
    labels = ring_and_bar()
    image = lab.image(project, name, picture(name))
    lab.measured(image, disc(1), disc(2), disc(3), mask=label_png.encode(labels))
    return labels


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def test_masks_are_those_that_are_stored(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    labels = measured(lab, project)
    lab.image(project, "not segmented.png")
    archive = pack(project, Part.MASKS, Part.CSV)
    assert np.array_equal(label_png.decode(archive.read("masks/a.png")), labels)
    assert [row["mask"] for row in rows(archive, "images.csv")] == ["masks/a.png", ""]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_coco_masks_are_the_pixels_of_the_label_image(lab: Lab, pack: Pack) -> None:
    project = lab.project(um_per_px=2.0)
    labels = measured(lab, project)
    measured(lab, project, "b.png")
    coco = json.loads(pack(project, Part.COCO).read("coco.json"))
    assert [(image["file_name"], image["width"], image["height"]) for image in coco["images"]] == [
        ("a.png", 50, 40),
        ("b.png", 50, 40),
    ]
    assert [item["number"] for item in coco["annotations"]] == [1, 2, 3] * 2
    assert len({item["id"] for item in coco["annotations"]}) == 6
    for item in coco["annotations"]:
        drawn = coco_mask.decode(item["segmentation"])
        assert np.array_equal(drawn, labels == item["number"]), "holes and edges as in the label image"
        assert item["area"] == coco_mask.area(item["segmentation"]) == drawn.sum()
        assert item["bbox"] == coco_mask.toBbox(item["segmentation"]).tolist()


def test_imagej_rois_enclose_the_area_that_the_mask_has(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    labels = measured(lab, project)
    packed = zipfile.ZipFile(io.BytesIO(pack(project, Part.ROIS).read("rois/a.zip")))
    assert packed.namelist() == ["0001.roi", "0002.roi", "0003.roi"]
    for number, name in enumerate(packed.namelist(), start=1):
        roi = roifile.ImagejRoi.frombytes(packed.read(name))
        assert roi.name == f"{number:04d}"
        rings = roi.coordinates(multi=True) if roi.composite else [roi.coordinates()]
        assert np.array_equal(drawn(rings, labels.shape), labels == number)
        places = np.argwhere(labels == number)
        assert [roi.top, roi.left] == places.min(axis=0).tolist()
        assert [roi.bottom, roi.right] == (places.max(axis=0) + 1).tolist()


def drawn(rings: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """As ImageJ does: a pixel belongs to it whose middle lies within an odd number of rings."""
    inside = np.zeros(shape, bool)
    for row, column in np.ndindex(shape):
        y, x = row + 0.5, column + 0.5
        crossings = 0
        for ring in rings:
            for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                crossings += x0 == x1 and x0 > x and min(y0, y1) < y < max(y0, y1)
        inside[row, column] = crossings % 2
    return inside


def test_overlays_and_originals_are_pictures_of_the_image(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    measured(lab, project)
    archive = pack(project, Part.OVERLAYS, Part.ORIGINALS, Part.CSV)
    shown = cv2.imdecode(np.frombuffer(archive.read("overlays/a.png"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert shown.shape == (40, 50, 3)
    assert np.ptp(shown, axis=2).max() > 100
    assert archive.read("originals/a.png") == picture("a.png")
    assert rows(archive, "images.csv")[0]["overlay"] == "overlays/a.png"


def test_a_file_of_several_pages_is_there_once(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    data = corpus.stack(3)
    lab.image(project, "stack.tif", data)
    archive = pack(project, Part.ORIGINALS)
    names = [name for name in archive.namelist() if name.startswith("originals/")]
    assert names == ["originals/stack.tif", "originals/SHA256SUMS.txt"]
    assert archive.read("originals/stack.tif") == data
    sums = archive.read("originals/SHA256SUMS.txt").decode()
    assert sums == f"{hashlib.sha256(data).hexdigest()}  stack.tif\n"
    pages = rows(pack(project, Part.ORIGINALS, Part.CSV), "images.csv")
    assert {row["original"] for row in pages} == {"originals/stack.tif"}
    assert {row["sha256"] for row in pages} == {hashlib.sha256(data).hexdigest()}


def test_the_tables_agree_in_every_format(lab: Lab, pack: Pack) -> None:
    project = lab.project(um_per_px=2.5)
    lab.measured(lab.image(project, "a.tif"), disc(1, 3.0, solidity=None), disc(2, touches_border=True))
    lab.image(project, "b.tif")
    archive = pack(project, Part.CSV, Part.XLSX, Part.PARQUET)
    book = openpyxl.load_workbook(io.BytesIO(archive.read("results.xlsx")), read_only=True)
    assert book.sheetnames == ["images", "objects", "formulas"]
    for table, names in (("images", export_rows.IMAGE_HEADER), ("objects", export_rows.OBJECT_HEADER)):
        csv_rows = rows(archive, f"{table}.csv")
        assert tuple(csv_rows[0]) == names
        frame = pl.read_parquet(io.BytesIO(archive.read(f"{table}.parquet")))
        assert tuple(frame.columns) == names
        assert [as_text(row) for row in frame.rows()] == [list(row.values()) for row in csv_rows]
        header, *lines = book[table].iter_rows(values_only=True)
        assert header == names
        assert [as_text(row) for row in lines] == [as_text(map(in_a_workbook, row)) for row in frame.rows()]
    assert frame.schema["touches_border"] == pl.Boolean
    assert frame.schema["area_px2"] == pl.Int64
    assert frame.schema["area_um2"] == pl.Float64


def in_a_workbook(value: object) -> object:
    """It keeps 16 digits, and does not tell 1.0 from 1."""
    if not isinstance(value, float):
        return value
    shortened = float(f"{value:.16G}")
    return int(shortened) if shortened.is_integer() else shortened


def as_text(row: Iterable[object]) -> list[str]:
    """Cells as CSV has them."""
    return [_as_text(value) for value in row]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def test_no_text_becomes_a_formula_in_a_spreadsheet(lab: Lab, pack: Pack) -> None:
    project = lab.project("=1+1")
    for number, name in enumerate(FORMULAS):
        data = corpus.png(corpus.noise(seed=number))
        lab.measured(lab.image(project, name, data), disc(1, intensity_mean=-1.5))
    archive = pack(project, Part.CSV, Part.XLSX, Part.PARQUET)
    book = openpyxl.load_workbook(io.BytesIO(archive.read("results.xlsx")))
    assert b"<f>" not in b"".join(
        packed.read(name)
        for packed in [zipfile.ZipFile(io.BytesIO(archive.read("results.xlsx")))]
        for name in packed.namelist()
    )
    for table in ("images", "objects"):
        shown = [row["path"] for row in rows(archive, f"{table}.csv")]
        cells = [row[0] for row in book[table].iter_rows(min_row=2)]
        assert all(cell.data_type == "s" and cell.hyperlink is None for cell in cells)
        for text in (*shown, *(str(cell.value) for cell in cells)):
            assert not text.startswith(csv_table.RISKY_STARTS)
        assert {name.removeprefix("'") for name in shown} == set(FORMULAS)
    assert {row["intensity_mean"] for row in rows(archive, "objects.csv")} == {"-1.5"}
    frame = pl.read_parquet(io.BytesIO(archive.read("objects.parquet")))
    assert set(frame["path"]) == set(FORMULAS), "programs get the names as they are"


def test_a_full_sheet_goes_on_in_another(lab: Lab, pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MAX_SHEET_ROWS", 50)
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), *(disc(number) for number in range(1, 121)))
    book = openpyxl.load_workbook(io.BytesIO(pack(project, Part.XLSX).read("results.xlsx")))
    assert book.sheetnames == ["images", "objects", "objects 2", "objects 3", "formulas"]
    seen = [
        row[4] for name in book.sheetnames[1:4] for row in book[name].iter_rows(min_row=2, values_only=True)
    ]
    assert seen == list(range(1, 121))


def test_every_column_has_the_type_that_its_values_have(lab: Lab, pack: Pack) -> None:
    project = lab.project(um_per_px=2.5)
    lab.measured(lab.image(project, "a.tif"), disc(1))
    archive = pack(project, Part.PARQUET, Part.MASKS)
    for table, columns in (("images", image_table.EXPORTED), ("objects", object_table.EXPORTED)):
        (row,) = pl.read_parquet(io.BytesIO(archive.read(f"{table}.parquet"))).to_dicts()
        assert list(row) == list(columns)
        wrong = {name for name, value in row.items() if not isinstance(value, columns[name].type | None)}
        assert wrong <= {
            "status",
            "review",
            "um_per_px_source",
            "version_kind",
            "outline",
        }  # words, which are text in a file


def test_provenance_says_how_the_numbers_came_about(lab: Lab, pack: Pack) -> None:
    project = lab.project(um_per_px=2.0)
    lab.measured(lab.image(project, "a.tif"), disc(1))
    weights = json.loads((Path(__file__).parents[2] / "data/weights/unet.json").read_text())
    for name, version in (("b.tif", weights["version"]), ("c.tif", weights["version"]), ("d.tif", "0+old")):
        lab.measured(lab.image(project, name), disc(1), recipe=Recipe("unet", version, {}))
    provenance = json.loads(pack(project, Part.CSV).read("provenance.json"))
    assert provenance["spheroscope_version"] == __version__
    assert provenance["project"]["um_per_px"] == 2.0
    assert provenance["images"] == {"n": 4, "chosen_by": "all images of the project"}
    assert [(item["engine"], item["weights_sha256"], item["n_images"]) for item in provenance["results"]] == [
        ("classical", None, 1),
        ("unet", None, 1),
        ("unet", weights["sha256"], 2),
    ]
    assert provenance["results"][0]["params"] == {"a": "µ", "b": 1}
    assert {row["column"] for row in provenance["formulas"]} >= {"circularity", "area_um2"}
    assert provenance["settings"]["MAX_EXPORT_ROWS"] == 1_000_000
    assert "SPHEROSCOPE_DATA" not in provenance["settings"], "paths stay at home"
    assert provenance["packages"]["opencv-python-headless"]


def test_the_methods_are_told_in_sentences_for_a_paper(lab: Lab, pack: Pack) -> None:
    project = lab.project(um_per_px=2.0)
    weights = json.loads((Path(__file__).parents[2] / "data/weights/unet.json").read_text())
    recipe = Recipe("unet", weights["version"], {"outline": "core", "sensitivity": 0.0})
    lab.measured(lab.image(project, "a.tif"), disc(1), disc(2, touches_border=True), recipe=recipe)
    archive = pack(project, Part.CSV)
    text = archive.read("METHODS.txt").decode()
    assert f"2 spheroids were outlined in 1 image with Spheroscope {__version__}" in text
    assert f"version {weights['version']}, weights SHA-256 {weights['sha256'][:12]}" in text
    assert "with outline = core (1 image)" in text
    assert "The pixel size was set for the whole project (1 image)." in text
    assert "1 spheroid touch" in text
    assert "4πA/P²" in text
    assert archive.read("CITATION.cff").decode() == (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_methods_of_images_without_outlines_say_so(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    lab.image(project, "a.tif")
    assert b"None of the 1 images has outlines yet" in pack(project, Part.CSV).read("METHODS.txt")


def test_corrected_outlines_are_told_apart(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.tif"), disc(1))
    result = Result("classical", "3", {}, (disc(1),), lab.blobs.put(MASK), lab.blobs.put(MASK), {})
    version = lab.store.results.add_version(
        image.id, result, Correction("Ana", "debris", image.version_id), image.version_id
    )
    archive = pack(project, Part.CSV, Part.COCO)
    (row,) = rows(archive, "objects.csv")
    assert (row["version_id"], row["version_kind"]) == (version.id, "corrected")
    assert (row["outline"], row["outline_version_id"]) == ("corrected", version.id)
    for annotation in json.loads(archive.read("coco.json"))["annotations"]:
        if annotation["number"] == 1:
            assert (annotation["outline"], annotation["outline_version_id"]) == ("corrected", version.id)
    assert b"Outlines of 1 image were corrected by hand" in archive.read("METHODS.txt")


def test_fewer_digits_are_given_on_request_and_said(
    lab: Lab, builder: ArchiveBuilder, tmp_path: Path
) -> None:
    project = lab.project(um_per_px=1.23456789)
    lab.measured(lab.image(project, "a.tif"), disc(1, solidity=2 / 3))
    solidities = []
    for index, digits in enumerate((None, 6)):
        folder = tmp_path / str(index)
        folder.mkdir()
        parts = frozenset({Part.CSV, Part.PARQUET, Part.XLSX})
        builder.make(ExportRequest(project.id, parts, digits=digits), folder, lambda done: None)
        with zipfile.ZipFile(folder / "archive.zip") as archive:
            (row,) = rows(archive, "objects.csv")
            frame = pl.read_parquet(io.BytesIO(archive.read("objects.parquet")))
            assert float(row["solidity"]) == frame["solidity"][0]
            assert row["um_per_px"] == "1.23456789"
            assert json.loads(archive.read("provenance.json"))["digits"] == digits
            sentence = "rounded to 6 significant digits" if digits else "every digit that was computed"
            assert sentence in archive.read("README.txt").decode()
            solidities.append(row["solidity"])
    assert solidities == [str(2 / 3), "0.666667"]


def test_overlays_have_a_scale_bar_where_there_is_a_scale(lab: Lab, pack: Pack) -> None:
    data = corpus.png(np.full((200, 300), 90, np.uint8))
    corners = []
    for name, um_per_px in (("One", None), ("Two", 2.0)):
        project = lab.project(name, um_per_px)
        lab.measured(lab.image(project, "a.png", data), disc(1))
        drawn = pack(project, Part.OVERLAYS).read("overlays/a.png")
        shown = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_UNCHANGED)
        corners.append(int((shown[150:, 200:] == 255).all(axis=2).sum()))
    assert corners[0] == 0
    assert corners[1] >= 50 * 2  # 100 µm are 50 px


def test_some_images_only(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    images = [lab.measured(lab.image(project, f"{name}.tif"), disc(1)) for name in "abc"]
    archive = pack(project, Part.CSV, Part.MASKS, ids=(images[2].id, images[0].id))
    assert [row["path"] for row in rows(archive, "images.csv")] == ["a.tif", "c.tif"]
    assert [row["path"] for row in rows(archive, "objects.csv")] == ["a.tif", "c.tif"]
    assert {"masks/a.png", "masks/c.png"} <= set(archive.namelist())
    assert "masks/b.png" not in archive.namelist()


def test_images_of_one_name_keep_their_own_files(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    for seed, name in enumerate(("x.tif", "X.png", "../x.bmp", "con.tif")):
        lab.measured(lab.image(project, name, corpus.png(corpus.noise(seed=seed))), disc(1))
    archive = pack(project, Part.MASKS, Part.ORIGINALS, Part.CSV)
    names = archive.namelist()
    assert len({name.casefold() for name in names}) == len(names)
    assert all(".." not in name and name.count("/") <= 1 for name in names)
    assert sorted(row["mask"] for row in rows(archive, "images.csv")) == sorted(
        name for name in names if name.startswith("masks/")
    )


def test_a_damaged_file_is_named_and_stops_nothing(lab: Lab, pack: Pack) -> None:
    project = lab.project()
    bad, lost = measured_images(lab, project)
    lab.blobs.path(bad).write_bytes(b"II*\0")
    lab.blobs.path(lost).unlink()
    archive = pack(project, Part.ORIGINALS, Part.OVERLAYS, Part.MASKS, Part.CSV)
    problems = [(row["path"], row["part"], row["error_code"]) for row in rows(archive, "problems.csv")]
    assert problems == [
        ("a.png", "overlays", "blob_damaged"),
        ("a.png", "originals", "blob_damaged"),
        ("bb.png", "overlays", "blob_missing"),
        ("bb.png", "originals", "blob_missing"),
    ]
    assert {"masks/a.png", "masks/bb.png", "originals/ccc.png"} <= set(archive.namelist())
    assert len(rows(archive, "images.csv")) == 3
    assert "problems.csv" not in pack(project, Part.MASKS).namelist()


def measured_images(lab: Lab, project: Project) -> tuple[str, str]:
    """Three images; returns the digests of the first two files."""
    for name in ("a.png", "bb.png", "ccc.png"):
        measured(lab, project, name)
    digests = (picture(name) for name in ("a.png", "bb.png"))
    first, second = (hashlib.sha256(data).hexdigest() for data in digests)
    return first, second


def test_batches_follow_each_other_without_a_gap(
    lab: Lab, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.store.export_reader.BATCH_IMAGES", 2)
    monkeypatch.setattr("core.store.export_reader.BATCH_OBJECTS", 3)
    project = lab.project()
    for index, name in enumerate(("c", "a", "b", "b", "d")):  # two of one name, at a batch's end
        image = lab.image(project, f"{name}.tif", corpus.png(corpus.noise(seed=index)))
        if name != "d":
            lab.measured(image, *(disc(number) for number in range(1, index + 2)))
    archive = pack(project, Part.CSV)
    assert [row["path"] for row in rows(archive, "images.csv")] == [f"{name}.tif" for name in "abbcd"]
    counted = [(row["path"], int(row["object"])) for row in rows(archive, "objects.csv")]
    by_name = {name: [number for path, number in counted if path == f"{name}.tif"] for name in "acd"}
    assert by_name == {"a": [1, 2], "c": [1], "d": []}
    assert sorted(number for path, number in counted if path == "b.tif") == [1, 1, 2, 2, 3, 3, 4]


def test_an_empty_export_and_one_over_the_limit_are_refused(
    lab: Lab, builder: ArchiveBuilder, settings: Settings
) -> None:
    project = lab.project()
    everything = ExportRequest(project.id, frozenset(Part))
    with pytest.raises(InvalidRequest, match="nothing to export"):
        builder.size(everything)
    lab.measured(lab.image(project, "a.tif"), disc(1), disc(2), disc(3))
    with pytest.raises(InvalidRequest, match="nothing to export"):
        builder.size(ExportRequest(project.id, frozenset()))
    limited = replace(builder, settings=Settings(data=settings.data, max_export_rows=2))
    with pytest.raises(InvalidRequest, match="3 rows"):
        limited.size(everything)
    assert builder.size(everything) == 1


def test_parts_that_need_more_memory_than_there_is_are_named_and_the_others_made(
    lab: Lab, builder: ArchiveBuilder, tmp_path: Path
) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1))
    small = replace(builder, admission=Admission(2**20))
    summary = small.make(ExportRequest(project.id, frozenset(Part)), tmp_path, lambda done: None)
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("problems.csv").decode())))
        names = set(archive.namelist())
    assert summary.problems == 3
    assert {row["part"] for row in rows} == {"overlays", "rois", "coco"}
    assert all("a.tif needs about" in row["error"] for row in rows)
    assert {"masks/a.png", "objects.csv"} <= names


def test_the_disk_is_never_filled(lab: Lab, builder: ArchiveBuilder, tmp_path: Path) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1))
    greedy = replace(builder, settings=Settings(min_free_mb=2**40))
    with pytest.raises(StorageError, match="too full"):
        greedy.make(ExportRequest(project.id, frozenset(Part)), tmp_path, lambda done: None)


def test_a_time_is_a_time_in_every_format(tmp_path: Path) -> None:
    when = datetime(2026, 11, 2, 9, 30)
    column = Column("added", "Added", "When it was added", type=datetime)
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = spreadsheets._Sheet(book, "images", ("added",))
    sheet.write({"added": when})
    book.close()
    table = parquet._Table(tmp_path / "a.parquet", {"added": column})
    table.add([{"added": when}])
    table.close()
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["images"]["A2"].value == when
    assert pl.read_parquet(tmp_path / "a.parquet")["added"].to_list() == [when]
