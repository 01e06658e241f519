"""Outlines of other programs become corrected versions; what cannot be says why, and runs no code."""

from __future__ import annotations

import io
import json
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
import roifile
import tifffile
from numpy.typing import NDArray
from pycocotools import mask as masks

from core.corrections import outline_drawing
from core.corrections.coco_files import json_memory_bytes, pictures_of_coco
from core.corrections.imports import OUTLINES_NOTHING, Imports, ImportState
from core.errors import ImageTooLarge, InvalidRequest
from core.export.imagej_rois import roi_zip
from core.files.blobs import Blobs
from core.images import label_png
from core.images.child import Child
from core.models import Image, Limits, Project, VersionKind
from core.queue.admission import Admission
from core.segmentation.outlines.boundaries import find
from core.store import Store
from tests import corpus
from tests.corrections.conftest import SIDE, labels
from tests.http.lab import Lab

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
    assert (row.state, row.image_name) == (ImportState.IMPORTED, "a.png")
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
    assert row.state is ImportState.UNCHANGED
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


def zipped(content: bytes, packing: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as packed:
        packed.writestr("a.roi", content)
    return file.getvalue()


def drawn_roi(points: list[tuple[int, int]] | None = None) -> bytes:
    corners = points or [(10, 10), (40, 10), (40, 40), (10, 40)]
    return bytes(roifile.ImagejRoi.frompoints(np.array(corners, np.int16)).tobytes())


def zigzag() -> bytes:
    """One outline that crosses every row of the image so often that it would fill the memory."""
    return drawn_roi([(n % SIDE, SIDE * (n % 2)) for n in range(20_000)])


def damaged_deflate() -> bytes:
    """A zip whose list of files is whole, and whose packed bytes are not."""
    data = bytearray(zipped(drawn_roi() * 20, zipfile.ZIP_DEFLATED))
    data[40:60] = b"\xff" * 20
    return bytes(data)


def renamed(data: bytes) -> bytes:
    """The name of the file in the list is no UTF-8, though its flags say so."""
    return flagged(data, 6, b"\x00\x08").replace(b"a.roi", b"\xff.roi")


def flagged(data: bytes, offset: int, value: bytes) -> bytes:
    """Another value in the header of the file and in the list: flags at 6, the way of packing at 8."""
    changed = bytearray(data)
    for start in (data.index(b"PK\x03\x04") + offset, data.index(b"PK\x01\x02") + offset + 2):
        changed[start : start + 2] = value
    return bytes(changed)


@cache
def many_large() -> bytes:
    """Files of less than what one may have, of much more than all may have together."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(100):
            packed.writestr(f"{number}.roi", b"\0" * 2**20)
    return file.getvalue()


def many_names() -> bytes:
    """A list of files that takes hundreds of megabytes once it is read, of nothing at all."""
    return zipped(drawn_roi()) + b"PK\x01\x02" * 20_000


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
        ("a.zip", zipped(drawn_roi())[:-30], "damaged"),
        ("a.zip", zipped(drawn_roi()).replace(b"Iout", b"Iouu"), "damaged"),
        ("a.zip", damaged_deflate(), "damaged"),
        ("a.zip", renamed(zipped(drawn_roi())), "damaged"),
        ("a.zip", zipped(drawn_roi(), zipfile.ZIP_LZMA), "packed"),
        ("a.zip", zipped(drawn_roi(), zipfile.ZIP_BZIP2), "packed"),
        ("a.zip", flagged(zipped(drawn_roi()), 8, b"\x63\x00"), "packed"),
        ("a.zip", flagged(zipped(drawn_roi()), 6, b"\x01\x00"), "password"),
        ("a.zip", flagged(zipped(drawn_roi()), 6, b"\x40\x00"), "damaged"),
        ("a.zip", many_large(), "unpacked"),
        ("a.zip", many_names(), "10,000"),
        ("a.zip", zipped(zigzag()), "to and fro"),
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
        ("a.json", annotated(None), "segmentation"),
        ("a.json", annotated([]), "segmentation"),
        ("a.json", annotated({"size": [SIDE, SIDE], "counts": "1" * 2_000_000}), "letters"),
        ("a.json", annotated([[0, 0, SIDE, 0, SIDE, SIDE]] * 1000), "over each other"),
        ("a.json", annotated([[0, 0, 5, 0, 5, 5] * 50_000]), "100,000 points"),
        ("a.json", annotated([[0, 0, 5, SIDE] * 20_000]), "to and fro"),
    ],
)
def test_hostile_and_broken_files_say_why_and_change_nothing(
    imports: Imports, image: Image, store: Store, name: str, data: bytes, words: str
) -> None:
    (row,) = imports.add(image.project_id, name, data, "ada")
    assert words in row.message
    assert row.state is ImportState.REFUSED
    assert store.images.get(image.id).version_id == image.version_id


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.gif", b"GIF89a"),
        ("a.json", b"[" * 100_000),
        ("a.json", b"{}"),
        ("a.json", b"[1]"),
        ("a.json", b"\xff\xfe"),
        ("a.json", b" " * (33 * 2**20)),
        ("a.json", b'{"images": [], "annotations": [' + b"{}," * 2_000_000 + b"{}]}"),
        ("a", b""),
    ],
)
def test_a_file_of_no_kind_is_refused(imports: Imports, image: Image, name: str, data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        imports.add(image.project_id, name, data, "ada")


def test_a_coco_file_names_each_picture_once() -> None:
    assert [picture.name for picture in pictures_of_coco("a.json", coco(drawn()))] == ["a.png"]


def test_a_zip_of_many_rois_is_unpacked_one_after_another(imports: Imports, image: Image) -> None:
    """20 MB of ROIs in all take no more than the largest of them, besides the labels."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(20):
            packed.writestr(f"{number}.roi", drawn_roi() + bytes(2**20))
    tracemalloc.start()
    try:
        (row,) = imports.add(image.project_id, "a.zip", file.getvalue(), "ada")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert row.state is ImportState.IMPORTED
    assert peak < 10 * 2**20


def pictures_of(*annotations: dict[str, object]) -> bytes:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": annotations,
    }
    return json.dumps(content).encode()


def test_what_is_wrong_with_one_picture_of_a_coco_file_leaves_the_others_alone(
    imports: Imports, image: Image
) -> None:
    square = [[10, 10, 40, 10, 40, 40, 10, 40]]
    data = pictures_of(
        {"image_id": 1, "segmentation": square},
        {"image_id": 2, "bbox": [1, 2, 3, 4]},
        {"image_id": 9, "segmentation": square},
        {"image_id": [], "segmentation": square},
    )
    first, second, strays = imports.add(image.project_id, "labels.json", data, "ada")
    assert (first.image_id, first.state, first.n_objects) == (image.id, ImportState.IMPORTED, 1)
    assert second.state is strays.state is ImportState.REFUSED
    assert "no image of this name" in second.message
    assert (strays.name, "2 annotations" in strays.message) == ("labels.json", True)


def test_a_picture_without_annotations_leaves_its_image_as_it_is(
    imports: Imports, image: Image, store: Store
) -> None:
    first, _ = imports.add(image.project_id, "labels.json", pictures_of(), "ada")
    assert (first.state, "no outlines of this picture" in first.message) == (ImportState.REFUSED, True)
    assert store.images.get(image.id).version_id == image.version_id


def test_polygons_are_drawn_within_their_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred small outlines on a large image take no hundred pictures of its size."""
    drawn_pixels: list[int] = []
    original = outline_drawing.rasterise

    def watched(shapes: object, shape: tuple[int, int]) -> NDArray[np.int32]:
        drawn_pixels.append(shape[0] * shape[1])
        return original(shapes, shape)  # type: ignore[arg-type]

    monkeypatch.setattr(outline_drawing, "rasterise", watched)
    data = annotated([[x, 5, x + 8, 5, x + 8, 13, x, 13] for x in range(0, 1000, 10)])
    (picture,) = pictures_of_coco("a.json", data)
    found = picture.draw((2000, 2000))
    assert np.count_nonzero(found) == 100 * 64
    assert max(drawn_pixels) <= 100


@pytest.mark.parametrize(
    "data",
    [
        b"[" + b",".join([value] * 50_000) + b"]"
        for value in (b"{}", b"[]", b"1", b"1.5", b"-1e5", b'""', b'"abc"', b"[[1]]", b'{"a": {"b": []}}')
    ]
    + [
        b"{" + b",".join(b'"%d":1' % number for number in range(50_000)) + b"}",
        b"[" + b",".join(b'{"%d":"%d"}' % (number, number) for number in range(50_000)) + b"]",
        ('["' + "µ" * 50_000 + "🔬" * 50_000 + '"]').encode(),
    ],
)
def test_a_json_file_takes_no_more_memory_than_was_estimated(data: bytes) -> None:
    tracemalloc.start()
    try:
        content = json.loads(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert content
    assert peak <= json_memory_bytes(data)


def test_an_empty_mask_is_imported_and_said_to_be_empty(imports: Imports, image: Image, store: Store) -> None:
    (row,) = imports.add(image.project_id, "a.png", png(np.zeros(SHAPE, np.uint8)), "ada")
    assert (row.state, row.n_objects, row.message) == (ImportState.IMPORTED, 0, OUTLINES_NOTHING)
    assert store.images.get(image.id).version_id == row.version_id


def test_a_mask_of_several_pages_is_not_that_of_an_image_of_one(
    imports: Imports, image: Image, store: Store
) -> None:
    """Once only the first page was read: an empty one there took every outline away."""
    data = tiff(np.stack([np.zeros(SHAPE, np.uint16), drawn().astype(np.uint16)]), photometric="minisblack")
    rows = imports.add(image.project_id, "a.tif", data, "ada")
    assert [row.state for row in rows] == [ImportState.REFUSED] * 2
    assert "no page 2" in rows[1].message
    assert store.images.get(image.id).version_id == image.version_id


def test_each_page_of_a_mask_goes_to_the_page_of_its_image(
    imports: Imports, store: Store, blobs: Blobs, project: Project, segment: Callable[[Image], Image]
) -> None:
    first, second = (Lab(store, blobs).image(project, f"s.tif#{page}", picture(page)) for page in (1, 2))
    data = tiff(np.stack([drawn(), labels()]).astype(np.uint16), photometric="minisblack")
    rows = imports.add(project.id, "s_masks.tif", data, "ada")
    assert [(row.image_id, row.n_objects) for row in rows] == [(first.id, 3), (second.id, 2)]
    (row,) = imports.add(project.id, "s.png", png(drawn().astype(np.uint8)), "ada")
    assert "2 pages" in row.message


def picture(seed: int) -> bytes:
    return corpus.png(corpus.noise(seed=seed, shape=SHAPE))


def test_a_large_coco_file_waits_for_memory_like_an_image(store: Store, blobs: Blobs, image: Image) -> None:
    imports = Imports.open(store, blobs, Limits(), Admission(64 * 2**20))
    data = pictures_of() + b" " * (40 * 2**20 // 2)
    with pytest.raises(ImageTooLarge):
        imports.add(image.project_id, "a.json", b'{"x": [' + b"1," * 1_200_000 + b"1]}", "ada")
    assert imports.add(image.project_id, "a.json", data, "ada")
