"""Outlines from other programs: label masks, ImageJ ROI zips, COCO, and arrays of Cellpose.

Each reader takes bytes that nobody trusts and gives a label image a picture, or an error in words. Nothing is
unpickled, nothing is allocated before its size has been checked against the image.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import roifile
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.errors import ImageError, InvalidRequest
from core.images import open_image
from core.images.label_png import MAX_LABELS
from core.models import Contour, Limits
from core.segmentation.outlines.contours import rasterise

Labels = NDArray[np.int32]
Shape = tuple[int, int]
MAX_FILES = 10_000  # in a zip
MAX_ROI_BYTES = 4 * 2**20
MAX_PICTURES = 10_000  # in a COCO file
ENDINGS = ("_seg", "_cp_masks", "_masks", "_mask", "_labels", "_rois")  # that programs add to an image's name
_MOST_PIXELS = Limits().max_pixels  # a mask of another size is told so
_PNG = b"\x89PNG\r\n\x1a\n"


def stem_of(name: str) -> str:
    """The name that an outline file shares with its image: without folder, extension and added endings."""
    stem = PurePath(name.replace("\\", "/")).stem.lower()
    return next((stem.removesuffix(ending) for ending in ENDINGS if stem.endswith(ending)), stem)


def labels_of_png(data: bytes, shape: Shape) -> Labels:
    """Labels of a PNG of one channel, 8 or 16 bits.

    Raises:
        InvalidRequest: it is no such PNG, or of another size.
    """
    if data[:8] != _PNG or len(data) < 33:
        raise InvalidRequest("This is not a PNG.")
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    _require_shape((height, width), shape)
    if data[25] != 0:
        raise InvalidRequest("A label mask has one grey channel; this PNG has colours.")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 2:
        raise InvalidRequest("This PNG is damaged.")
    return _checked(picture, shape)


def labels_of_tiff(data: bytes, shape: Shape) -> Labels:
    """Labels of the first page of a TIFF of whole numbers, (Y, X), also where they are stored as floats.

    It is read as images are: what parses it without a bound on its memory does so in a process of its own.

    Raises:
        InvalidRequest: it is no such TIFF, or of another size.
    """
    try:
        with TemporaryDirectory() as folder:
            path = Path(folder, "mask.tif")
            path.write_bytes(data)
            with open_image(path, Limits(max_pixels=max(shape[0] * shape[1], _MOST_PIXELS))) as reader:
                plane = reader.planes[0]
                _require_shape((plane.height, plane.width), shape)
                pixels = reader.read(plane).pixels
    except ImageError as error:
        raise InvalidRequest(f"This TIFF cannot be read. {error.message}") from error
    if pixels.ndim != 2:
        raise InvalidRequest("A label mask has one grey channel; this TIFF has colours.")
    if pixels.dtype.kind == "f" and not np.array_equal(pixels, np.rint(pixels)):  # NaN is no whole number
        raise InvalidRequest("A label mask holds whole numbers.")
    return _checked(pixels, shape)


def labels_of_npy(data: bytes, shape: Shape) -> Labels:
    """Labels of a NumPy file that holds one array of whole numbers, (Y, X).

    Raises:
        InvalidRequest: it holds something else, such as Cellpose's pickled dictionary.
    """
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        found_shape, _, dtype = read(file)
    except (ValueError, EOFError, OSError, SyntaxError, MemoryError, RecursionError) as error:
        raise InvalidRequest("This is not a NumPy file.") from error
    if dtype.hasobject:
        raise InvalidRequest(
            "This _seg.npy holds Python objects, which could run code, so it is not read. In Cellpose choose "
            "File, Save masks as PNG/tif, or use io.save_masks in Python, and import the file that ends in "
            "_cp_masks."
        )
    _require_shape(found_shape, shape)
    if dtype.kind not in "biu":
        raise InvalidRequest("A label mask holds whole numbers.")
    file.seek(0)
    try:
        return _checked(np.load(file, allow_pickle=False), shape)
    except ValueError as error:
        raise InvalidRequest("This NumPy file is cut short.") from error


def labels_of_rois(data: bytes, shape: Shape) -> Labels:
    """Labels of a zip of ImageJ ROIs: polygons, freehand and traced outlines, numbered in their order.

    Raises:
        InvalidRequest: it is no such zip, or has a ROI that is no outline.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = [entry for entry in packed.infolist() if entry.filename.lower().endswith(".roi")]
            if not entries or len(entries) > MAX_FILES or any(e.file_size > MAX_ROI_BYTES for e in entries):
                raise InvalidRequest(f"A zip of ROIs has 1 to {MAX_FILES:,} .roi files of a few kilobytes.")
            rois = [(entry.filename, _limited(packed, entry)) for entry in entries]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise InvalidRequest("This is not a zip of ImageJ ROIs.") from error
    return rasterise([_contour_of_roi(name, roi) for name, roi in rois], shape)


def labels_of_coco(data: bytes) -> Iterable[tuple[str, Callable[[Shape], Labels]]]:
    """The pictures of a COCO file: each one's name, and a function that draws its labels at the image's size.

    Raises:
        InvalidRequest: it is no such file.
    """
    try:
        content = json.loads(data)
        pictures = {item["id"]: str(item["file_name"]) for item in content["images"]}
        shapes: dict[Any, list[Any]] = {key: [] for key in pictures}
        for item in content["annotations"]:
            shapes[item["image_id"]].append(item["segmentation"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidRequest("This is not a COCO file: it lacks images or annotations.") from error
    if len(pictures) > MAX_PICTURES:
        raise InvalidRequest(f"A COCO file may have {MAX_PICTURES:,} images.")
    for key, name in pictures.items():
        yield name, lambda shape, found=shapes[key]: _drawn(found, shape)  # type: ignore[misc]


def _drawn(segmentations: list[Any], shape: Shape) -> Labels:
    labels = np.zeros(shape, np.int32)
    for number, item in enumerate(segmentations, start=1):
        try:
            mask = _run_lengths(item, shape) if isinstance(item, dict) else _polygons(item, shape)
        except (ValueError, KeyError, TypeError, OverflowError, IndexError) as error:
            raise InvalidRequest(f"Annotation {number} is no outline.") from error
        labels[mask] = number
    return _checked(labels, shape)


def _polygons(item: Any, shape: Shape) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    for flat in item:
        values = np.asarray(flat, np.float64)
        mask |= rasterise([_contour(values.reshape(-1, 2))], shape) > 0
    return mask


def _run_lengths(item: dict[str, Any], shape: Shape) -> NDArray[np.bool_]:
    """COCO's runs, column by column, background first; as numbers or in its text form."""
    _require_shape(tuple(item["size"]), shape)
    counts = item["counts"]
    runs = _decoded(counts) if isinstance(counts, str) else [int(value) for value in counts]
    if any(run < 0 for run in runs) or sum(runs) != shape[0] * shape[1]:
        raise InvalidRequest("The runs of an annotation do not fill its image.")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(shape[::-1]).T


def _decoded(text: str) -> list[int]:
    """Numbers of COCO's text form: five bits a letter; from the fourth on, the difference to two before."""
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 40:
            raise InvalidRequest("The runs of an annotation are damaged.")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs


def _limited(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry, of which no more is unpacked than a ROI may have, whatever its header says."""
    with packed.open(entry) as file:
        content = file.read(MAX_ROI_BYTES + 1)
    if len(content) > MAX_ROI_BYTES:
        raise InvalidRequest(f"{entry.filename[:80]} is too large for a ROI.")
    return content


def _contour_of_roi(name: str, data: bytes) -> Contour:
    kinds = (roifile.ROI_TYPE.POLYGON, roifile.ROI_TYPE.FREEHAND, roifile.ROI_TYPE.TRACED)
    try:
        roi = roifile.ImagejRoi.frombytes(data)
        outlined = roi.composite or roi.roitype in kinds
        rings = [np.asarray(ring, np.float64) for ring in roi.coordinates(multi=True)] if outlined else []
    except Exception as error:  # the boundary of a foreign file: whatever is wrong with it, it is no outline
        raise InvalidRequest(f"{name[:80]} is not an ImageJ ROI.") from error
    if not rings:
        raise InvalidRequest(
            f"{name[:80]} is no closed outline; polygons, freehand and traced ROIs are read."
        )
    outer, *holes = (_contour(ring).outer for ring in rings)
    return Contour(outer, tuple(holes))


def _contour(points: NDArray[np.float64]) -> Contour:
    if len(points) < 3 or not np.isfinite(points).all() or np.abs(points).max() > 10**6:
        raise InvalidRequest("An outline has three points at least, near its image.")
    return Contour(tuple((float(x), float(y)) for x, y in points))


def _require_shape(actual: tuple[int, ...], shape: Shape) -> None:
    if tuple(actual) != shape:
        size = " x ".join(str(side) for side in reversed(actual))
        raise InvalidRequest(f"The mask is {size} pixels, the image {shape[1]} x {shape[0]}.")


def _checked(labels: NDArray[Any], shape: Shape) -> Labels:
    _require_shape(labels.shape, shape)
    if labels.size and not (labels.min() >= 0 and labels.max() <= MAX_LABELS):
        raise InvalidRequest(f"Labels are whole numbers from 0 to {MAX_LABELS:,}.")
    return np.ascontiguousarray(labels, np.int32)
