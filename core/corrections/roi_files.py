"""Outlines as zips of ImageJ ROIs, unpacked one after another, with bounds on each and on all together."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
import roifile
from numpy.typing import NDArray

from core.corrections.outline_drawing import LabelDrawing, Labels, Shape
from core.errors import InvalidRequest

MAX_FILES = 10_000  # in a zip
MAX_ROI_BYTES = 4 * 2**20
MAX_UNPACKED_BYTES = 64 * 2**20  # of all ROIs of a zip; 10,000 outlines of 200 points take a third of it
_ENTRY_MARK = b"PK\x01\x02"  # begins each entry of a zip's list of files
_ENCRYPTED = 1  # in an entry's flags
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = "This is not a zip of ImageJ ROIs, or it is damaged. Save it again in ImageJ's ROI Manager."
_ZIP_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError),  # of headers that cannot be
)


def labels_of_rois(data: bytes, shape: Shape) -> Labels:
    """Labels of a zip of ImageJ ROIs: polygons, freehand and traced outlines, numbered in their order.

    Raises:
        InvalidRequest: it is no such zip, is too large, or has a ROI that is no outline.
    """
    # Counted before zipfile lists them: it takes some 600 bytes for an entry of 47.
    if data.count(_ENTRY_MARK) > MAX_FILES:
        raise InvalidRequest(f"A zip of ROIs may have {MAX_FILES:,} files.")
    drawing = LabelDrawing(shape)
    for number, (name, roi) in enumerate(_rois(data), start=1):
        drawing.draw(number, _rings(name, roi))
    return drawing.labels


def _rois(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each ROI, of which one is in memory at a time."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for entry in _entries(packed):
                with packed.open(entry) as file:
                    yield entry.filename, file.read(MAX_ROI_BYTES)
    except _ZIP_ERRORS as error:
        raise InvalidRequest(_DAMAGED) from error


def _entries(packed: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = [entry for entry in packed.infolist() if entry.filename.lower().endswith(".roi")]
    if not entries:
        raise InvalidRequest("This zip has no ROIs of ImageJ (.roi files).")
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise InvalidRequest("This zip of ROIs has a password. Save it without one.")
        if entry.compress_type not in _PACKINGS:
            raise InvalidRequest("This zip is packed in a way that ImageJ does not use for ROIs.")
        if entry.file_size > MAX_ROI_BYTES:
            raise InvalidRequest(f"{entry.filename[:80]} is too large for a ROI, which has a few kilobytes.")
    # No entry gives more than its header says, so this bounds what is unpacked.
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise InvalidRequest(
            f"The ROIs of this zip take more than {MAX_UNPACKED_BYTES // 2**20} MiB unpacked; "
            "each should have a few kilobytes."
        )
    return entries


def _rings(name: str, data: bytes) -> list[NDArray[np.float64]]:
    """The outline of a ROI, then its holes."""
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
    return rings
