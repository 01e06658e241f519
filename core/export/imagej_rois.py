"""Outlines for ImageJ: a zip of ROIs for each image, in the format of its ROI Manager.

An outline runs along the edges of its pixels, in whole coordinates, so ImageJ finds the area that the table
says. One through the middles of pixels would lose half a pixel all around.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import numpy as np
import roifile
from numpy.typing import NDArray

from core.export.archive import ExportContext
from core.export.item import Item
from core.segmentation.outlines.boundaries import OutlinedObject, edges

Corners = NDArray[np.int64]

_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0  # of java.awt.geom.PathIterator, which ImageJ stores
# Where an edge begins, by the side of its pixel: RIGHT, BOTTOM, LEFT, TOP are 0, 2, 4, 6.
_FROM = np.array([[1, 1], [0, 0], [0, 1], [0, 0], [0, 0], [0, 0], [1, 0]])


class Rois:
    """``rois/``: a zip for each image with objects."""

    def __init__(self, context: ExportContext) -> None:
        self._archive = context.archive

    def add(self, item: Item) -> None:
        if item.objects:
            self._archive.add(f"rois/{item.stem}.zip", roi_zip(item.objects))

    def finish(self) -> None:
        """Do nothing."""


def roi_zip(objects: Sequence[OutlinedObject]) -> bytes:
    """Return the zip of an image's ROIs, each named by its object's number."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for item in objects:
            packed.writestr(f"{item.number:04d}.roi", roi(item).tobytes())
    return data.getvalue()


def roi(item: OutlinedObject) -> roifile.ImagejRoi:
    """Return a traced ROI, or a composite of all rings where there are several."""
    name, rings = f"{item.number:04d}", corners(item)
    if len(rings) == 1:
        made = roifile.ImagejRoi.frompoints(rings[0], name=name)
        made.roitype = roifile.ROI_TYPE.TRACED
        # It counts points, the box ends with the last of them.
        made.right, made.bottom = (int(value) for value in rings[0].max(axis=0))
        return made
    return _composite(name, rings)


def corners(item: OutlinedObject) -> list[Corners]:
    """Return the outer rings, then the holes: int64 (N, 2), pixel corners as (x, y)."""
    walk = edges([*item.outer, *item.holes])
    points = np.stack([walk.x, walk.y], axis=1) + _FROM[walk.side]
    before = np.empty_like(walk.side)
    before[walk.after] = walk.side
    turns = before != walk.side
    offset = (item.box[1].start, item.box[0].start)
    spans = zip(walk.start[:-1].tolist(), walk.start[1:].tolist(), strict=True)
    return [points[first:last][turns[first:last]] + offset for first, last in spans]


def _composite(name: str, rings: Sequence[Corners]) -> roifile.ImagejRoi:
    path: list[float] = []
    for ring in rings:
        for index, (x, y) in enumerate(ring.tolist()):
            path += (_LINE if index else _MOVE, x, y)
        path.append(_CLOSE)
    everything = np.concatenate(rings)
    left, top = everything.min(axis=0).tolist()
    right, bottom = everything.max(axis=0).tolist()
    made = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, name=name)
    made.left, made.top, made.right, made.bottom = left, top, right, bottom
    made.multi_coordinates = np.array(path, np.float32)
    made.shape_roi_size = len(path)
    return made
