"""The parts of an archive, with their titles and writers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.export.archive import ExportContext
from core.export.coco import Coco
from core.export.imagej_rois import Rois
from core.export.item import Item
from core.export.parquet import Parquet
from core.export.pictures import Masks, Originals, Overlays
from core.export.request import Part
from core.export.spreadsheets import Csv, Xlsx


class Writer(Protocol):
    """Writes one part of an archive."""

    def add(self, item: Item) -> None:
        """Write one image.

        Raises:
            SpheroscopeError: the image's own files are at fault.
        """

    def finish(self) -> None:
        """Write what needs all images; called once, at the end."""


@dataclass(frozen=True, slots=True)
class PartFormat:
    """Title, purpose and writer of a part."""

    label: str
    help: str
    writer: Callable[[ExportContext], Writer]


# In the order of writing: pictures come first, since the tables name their files.
FORMATS: dict[Part, PartFormat] = {
    Part.MASKS: PartFormat(
        "Masks", "Label images: 16-bit PNG, 0 is background, numbers are those of the tables", Masks
    ),
    Part.OVERLAYS: PartFormat(
        "Overlays", "The images with outlines, numbers and a scale bar drawn in, for looking at", Overlays
    ),
    Part.ORIGINALS: PartFormat(
        "Originals", "The files as they were uploaded, byte for byte, with their SHA-256", Originals
    ),
    Part.ROIS: PartFormat("ImageJ ROIs", "A zip for each image, to be dropped on ImageJ or Fiji", Rois),
    Part.COCO: PartFormat("COCO", "One JSON with every outline as a mask, for training other networks", Coco),
    Part.CSV: PartFormat("CSV", "Tables of images and spheroids as text", Csv),
    Part.XLSX: PartFormat("Excel", "The same tables as one workbook", Xlsx),
    Part.PARQUET: PartFormat("Parquet", "The same tables with types, for R and Python", Parquet),
}
