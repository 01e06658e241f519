"""COCO: one JSON file of all images, with a run-length encoded mask of each spheroid, without its holes.

Format: cocodataset.org (object detection); the runs are packed by pycocotools, as its ``decode`` reads them.
"""

from __future__ import annotations

import json
from typing import TextIO

import numpy as np
from pycocotools import mask as coco_mask

from core import __version__
from core.export.archive import ExportContext
from core.export.item import Item
from core.segmentation.outlines.boundaries import OutlinedObject

CATEGORY = 1
_HEAD = {
    "info": {"description": "Outlines of spheroids", "version": f"Spheroscope {__version__}"},
    "licenses": [],
    "categories": [{"id": CATEGORY, "name": "spheroid", "supercategory": "cell culture"}],
}


class Coco:
    """``coco.json``. Images and annotations are collected in temporary files: they need not fit in memory."""

    NAME = "coco.json"

    def __init__(self, context: ExportContext) -> None:
        self._context = context
        self._images = _List(context.text("coco.images"))
        self._annotations = _List(context.text("coco.annotations"))

    def add(self, item: Item) -> None:
        objects = item.objects  # before anything is written: it may be damaged
        image = item.image
        self._images.add(
            {
                "id": self._images.count + 1,
                "file_name": image.name,
                "width": image.width,
                "height": image.height,
                "um_per_px": image.um_per_px,
            }
        )
        for annotated in objects:
            fields: dict[str, object] = {"id": self._annotations.count + 1, "image_id": self._images.count}
            fields |= item.origins.get(annotated.number, {})
            self._annotations.add(fields | annotation(annotated, (image.height, image.width)))

    def finish(self) -> None:
        with self._context.text(self.NAME) as whole:
            whole.write(json.dumps(_HEAD, ensure_ascii=False)[:-1])
            for name, items in (("images", self._images), ("annotations", self._annotations)):
                whole.write(f', "{name}": [\n')
                items.copy_to(whole)
                whole.write("\n]")
            whole.write("}\n")
        self._context.add_from_folder(self.NAME)


class _List:
    """Items of a JSON list, without its brackets, in a file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.count = 0

    def add(self, value: dict[str, object]) -> None:
        self._file.write(",\n" if self.count else "")
        self._file.write(json.dumps(value, ensure_ascii=False, allow_nan=False))
        self.count += 1

    def copy_to(self, target: TextIO) -> None:
        self._file.seek(0)
        while piece := self._file.read(2**20):
            target.write(piece)


def annotation(item: OutlinedObject, shape: tuple[int, int]) -> dict[str, object]:
    """Return the annotation of an object in an image of ``shape`` (Y, X); ``number`` is that of the table."""
    rows, columns = item.box
    return {
        "category_id": CATEGORY,
        "number": item.number,
        "segmentation": run_lengths(item, shape),
        "area": int(np.count_nonzero(item.mask)),
        "bbox": [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start],
        "iscrowd": 0,
    }


def run_lengths(item: OutlinedObject, shape: tuple[int, int]) -> dict[str, object]:
    """Column by column, lengths of background and object in turns, packed.

    Only the object's own columns are looked at; what lies left and right of them is background.
    """
    height, width = shape
    rows, columns = item.box
    slab = np.zeros((columns.stop - columns.start, height), np.uint8)
    slab[:, rows] = item.mask.T
    flat = slab.ravel()
    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(ends, prepend=0, append=flat.size).tolist()
    if flat[0]:
        counts.insert(0, 0)
    counts[0] += columns.start * height
    right = (width - columns.stop) * height
    if flat[-1]:
        counts.append(right)
    else:
        counts[-1] += right
    packed = coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
    return {"size": [height, width], "counts": packed["counts"].decode("ascii")}
