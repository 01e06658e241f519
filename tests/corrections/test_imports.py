"""Outlines of other programs become corrected versions; what cannot be says why, and runs no code."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from pycocotools import mask as masks

from core.corrections.imports import Imports
from core.corrections.outline_files import labels_of_coco, stem_of
from core.errors import InvalidRequest
from core.export.imagej_rois import roi_zip
from core.files.blobs import Blobs
from core.images import label_png
from core.images.child import Child
from core.models import Image, Limits, VersionKind
from core.queue.admission import Admission
from core.segmentation.outlines.boundaries import find
from core.store import Store
from tests.corrections.conftest import SIDE, labels

pytestmark = pytest.mark.slow

SHAPE = (SIDE, SIDE)


class RunsCode:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("unpickled",))


@pytest.fixture
def imports(store: Store, blobs: Blobs) -> Imports:
    return Imports.open(store, blobs, Limits(), Admission(2**30))


def drawn() -> NDArray[np.int32]:
    found = np.roll(labels(), 3, axis=1)
    found[20:24, 80:90] = 5
    found[40, 25:30] = 0
    return found


def png(found: NDArray[np.generic]) -> bytes:
    return bytes(cv2.imencode(".png", found)[1])


def tiff(found: NDArray[np.generic], **more: object) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, found, **more)  # type: ignore[arg-type]
    return file.getvalue()


def npy(found: object) -> bytes:
    file = io.BytesIO()
    np.save(file, found, allow_pickle=True)  # type: ignore[arg-type]
    return file.getvalue()


def coco(found: NDArray[np.int32], text: bool = False) -> bytes:
    annotations = []
    for number in np.unique(found)[1:].tolist():
        mask = np.asfortranarray((found == number).astype(np.uint8))
        runs = masks.encode(mask)["counts"].decode()
        if not text:
            flat = np.concatenate(([0], mask.ravel(order="F"), [0])).astype(np.int8)
            edges = np.flatnonzero(np.diff(flat))
            runs = np.diff(np.concatenate(([0], edges, [mask.size]))).tolist()
        annotations.append({"image_id": 7, "segmentation": {"size": list(found.shape), "counts": runs}})
    return json.dumps({"images": [{"id": 7, "file_name": "a.png"}], "annotations": annotations}).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", png(drawn().astype(np.uint8))),
        ("day 1/A_cp_masks.png", png(drawn().astype(np.uint16))),
        ("a_masks.tif", tiff(drawn())),
        ("a.tiff", tiff(drawn().astype(np.uint16), compression="zlib")),
        ("a.tif", tiff(drawn().astype(np.float32))),
        ("a.tif", tiff(drawn().astype(np.int64))),
        ("a_seg.npy", npy(drawn())),
        ("a_rois.zip", roi_zip(find(drawn()))),
        ("labels.json", coco(drawn())),
        ("labels.json", coco(drawn(), text=True)),
    ],
)
def test_every_kind_becomes_a_corrected_version_with_author_and_source(
    imports: Imports, image: Image, store: Store, blobs: Blobs, name: str, data: bytes
) -> None:
    (row,) = imports.add(image.project_id, name, data, "ada")
    assert (row.image_id, row.n_objects, row.message) == (image.id, 3, "")
    version = store.results.versions(image.id)[0]
    assert version.id == row.version_id == store.images.get(image.id).version_id
    assert (version.kind, version.author, version.parent_id) == (
        VersionKind.CORRECTED,
        "ada",
        image.version_id,
    )
    assert name in str(version.reason)
    found = label_png.decode(blobs.get(version.labels_sha256))
    assert np.array_equal(found > 0, drawn() > 0)
    assert name in store.correction_audit.of_image(image.id)[-1].facts


def test_the_same_outlines_again_change_nothing(imports: Imports, image: Image, store: Store) -> None:
    for _ in range(2):
        (row,) = imports.add(image.project_id, "a.png", png(drawn().astype(np.uint8)), "ada")
    assert "already" in row.message
    assert len(store.results.versions(image.id)) == 2


def test_a_name_that_matches_none_is_a_row_that_says_so(imports: Imports, image: Image) -> None:
    (row,) = imports.add(image.project_id, "b.png", png(drawn().astype(np.uint8)), "ada")
    assert (row.image_id, row.version_id) == (None, None)
    assert "no image of this name" in row.message


def test_a_number_in_several_parts_becomes_several(imports: Imports, image: Image) -> None:
    found = np.zeros(SHAPE, np.uint8)
    found[2:9, 2:9] = found[30:33, 30:33] = 1
    (row,) = imports.add(image.project_id, "a.png", png(found), "ada")
    assert row.n_objects == 2


def test_a_tiff_that_takes_more_memory_than_its_size_explains_ends_no_more_than_a_child(
    imports: Imports, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What parses whole numbers of 32 bits and more runs in a process with a limit."""
    read: list[int] = []
    original = Child.read

    def watched(self: Child, request: object, shape: object, dtype: object, memory_bytes: int) -> object:
        read.append(memory_bytes)
        return original(self, request, shape, dtype, memory_bytes)  # type: ignore[arg-type]

    monkeypatch.setattr(Child, "read", watched)
    (row,) = imports.add(image.project_id, "a.tif", tiff(drawn()), "ada")
    assert row.message == ""
    assert read
    assert max(read) < 2**27


def header(text: str) -> bytes:
    padded = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.roi", b"\0" * (8 * 2**20))
    return file.getvalue()


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.roi", content)
    return file.getvalue()


def annotated(segmentation: object) -> bytes:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "segmentation": segmentation}],
    }
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a_seg.npy", npy({"masks": drawn()}), "Save masks as PNG/tif"),
        ("a_seg.npy", npy({"masks": RunsCode()}), "_cp_masks"),
        ("a_seg.npy", npy(np.array(RunsCode(), dtype=object)), "Python objects"),
        ("a_seg.npy", pickle.dumps(RunsCode()), "not a NumPy file"),
        ("a_seg.npy", npy(np.zeros((3, 3), np.int32)), "3 x 3"),
        ("a_seg.npy", npy(drawn().astype(np.float64)), "whole numbers"),
        ("a_seg.npy", npy(drawn())[:-10], "cut short"),
        (
            "a_seg.npy",
            header("{'descr': '<i4', 'fortran_order': False, 'shape': (900000, 900000), }"),
            "900000",
        ),
        (
            "a_seg.npy",
            header("{'descr': '|O', 'fortran_order': False, 'shape': (96, 96), }"),
            "Python objects",
        ),
        ("a_seg.npy", header("__import__('os').abort()"), "not a NumPy file"),
        ("a_seg.npy", b"", "not a NumPy file"),
        ("a.png", png(np.zeros((10, 10), np.uint8)), "10 x 10"),
        ("a.png", png(np.zeros((SIDE, SIDE, 3), np.uint8)), "colours"),
        ("a.png", png(drawn().astype(np.uint8))[:60], "damaged"),
        ("a.png", b"GIF89a", "not a PNG"),
        ("a.tif", tiff(np.zeros((9, 9), np.uint16)), "9 x 9"),
        ("a.tif", tiff(np.full(SHAPE, -1, np.int32)), "whole numbers"),
        ("a.tif", tiff(np.full(SHAPE, 70_000, np.int32)), "whole numbers"),
        ("a.tif", tiff(np.full(SHAPE, 0.5, np.float32)), "whole numbers"),
        ("a.tif", tiff(np.full(SHAPE, np.nan, np.float32)), "without a value"),
        ("a.tif", tiff(np.full(SHAPE, np.inf, np.float32)), "without a value"),
        ("a.tif", tiff(np.zeros((*SHAPE, 3), np.uint8), photometric="rgb"), "colours"),
        ("a.tif", tiff(np.zeros((9, 9), np.int32)), "9 x 9"),
        ("a.tif", tiff(drawn())[:-2000], "cannot be read"),
        ("a.tif", b"II*\0rubbish", "cannot be read"),
        ("a.zip", b"PK rubbish", "not a zip"),
        ("a.zip", bomb(), "kilobytes"),
        ("a.zip", zipped(b"Iout" + b"\xff" * 90), "ROI"),
        ("a.zip", zipped(b""), "ROI"),
        ("a.json", annotated({"size": [SIDE, SIDE], "counts": "~~~~"}), "damaged"),
        ("a.json", annotated({"size": [SIDE, SIDE], "counts": [2**70]}), "fill"),
        ("a.json", annotated({"size": [SIDE, SIDE], "counts": [SIDE * SIDE + 1, -1]}), "fill"),
        ("a.json", annotated({"size": [10**9, 10**9], "counts": [10**18]}), "1000000000"),
        ("a.json", annotated([[1, 2, 3, 4]]), "three points"),
        ("a.json", annotated([[1, 2, 3, 4, 5, float("inf")]]), "three points"),
        ("a.json", annotated([["x"] * 6]), "no outline"),
        ("a.json", annotated(7), "no outline"),
    ],
)
def test_hostile_and_broken_files_say_why_and_change_nothing(
    imports: Imports, image: Image, store: Store, name: str, data: bytes, words: str
) -> None:
    (row,) = imports.add(image.project_id, name, data, "ada")
    assert words in row.message
    assert store.images.get(image.id).version_id == image.version_id


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.gif", b"GIF89a"), ("a.json", b"[" * 100_000), ("a.json", b"{}"), ("a.json", b"[1]"), ("a", b"")],
)
def test_a_file_of_no_kind_is_refused(imports: Imports, image: Image, name: str, data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        imports.add(image.project_id, name, data, "ada")


def test_names_match_without_folder_extension_and_what_programs_add() -> None:
    for name in ("A05.png", "x/a05_cp_masks.png", "C:\\lab\\A05_seg.npy", "a05_masks.tif", "a05_rois.zip"):
        assert stem_of(name) == "a05"


def test_a_coco_file_names_each_picture_once() -> None:
    assert [name for name, _ in labels_of_coco(coco(drawn()))] == ["a.png"]
