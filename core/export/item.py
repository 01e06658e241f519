"""One image of an archive: its rows, and its files, which are read on first use."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import images
from core.files.blobs import Blobs
from core.images import label_png, rendering
from core.listing import export_rows
from core.models import Image, Limits, Spheroid, VersionKind
from core.segmentation.outlines import boundaries
from core.store.export_reader import ExportedImage
from core.store.rows import image_of, spheroid_of

_OF_IMAGE = (
    *("path", "um_per_px", "um_per_px_source", "review", "review_reason"),
    *("engine", "engine_version", "params", "version_id", "version_kind"),
)


class Item:
    """Data of one image for the writers of an archive's parts.

    ``stem`` is the unique stem of its files' names. ``files`` has the names of the files that writers have
    added, by column of images.csv.
    """

    def __init__(
        self, row: ExportedImage, stem: str, blobs: Blobs, limits: Limits, digits: int | None = None
    ) -> None:
        """``digits``: significant digits of measured numbers; None for all."""
        self.image: Image = image_of(row.image)
        self.stem = stem
        self.files: dict[str, str] = {}
        self._row = row
        self._blobs = blobs
        self._limits = limits
        self._digits = digits

    @property
    def engine(self) -> tuple[str, str, str] | None:
        """Engine, its version and the parameters as JSON; None where there is no result."""
        row = self._row.image
        return (row["engine"], row["engine_version"], row["params"]) if row["engine"] else None

    @property
    def n_objects(self) -> int:
        """Number of spheroids of the current result."""
        return len(self._row.objects)

    @property
    def n_at_the_edge(self) -> int:
        """Number of those that touch the image's edge."""
        return sum(bool(row["touches_border"]) for row in self._row.objects)

    @property
    def corrected(self) -> bool:
        """Whether a person drew or changed the outlines."""
        return bool(self._row.image["version_kind"] == VersionKind.CORRECTED)

    @property
    def image_cells(self) -> export_rows.ExportRow:
        """Row of images.csv, with the files that writers have added so far."""
        return export_rows.shortened(export_rows.image_row({**self._row.image, **self.files}), self._digits)

    @cached_property
    def object_cells(self) -> list[export_rows.ExportRow]:
        """Rows of objects.csv."""
        image = {name: self._row.image[name] for name in _OF_IMAGE} | {"image_name": self.image.name}
        rows = (export_rows.object_row({**row, **image}) for row in self._row.objects)
        return [export_rows.shortened(row, self._digits) for row in rows]

    @cached_property
    def origins(self) -> dict[int, dict[str, object]]:
        """Who made each spheroid's outline, and the version that it is of, by number."""
        names = ("outline", "outline_version_id")
        pairs = zip(self._row.objects, self.object_cells, strict=True)
        return {stored["number"]: {name: cells[name] for name in names} for stored, cells in pairs}

    @cached_property
    def spheroids(self) -> tuple[Spheroid, ...]:
        """Spheroids with their outlines; the image must have been read with ``contours``."""
        return tuple(spheroid_of(row) for row in self._row.objects)

    @cached_property
    def mask(self) -> bytes | None:
        """Label image as PNG; None where there is no result.

        Raises:
            BlobMissing, BlobDamaged: the stored file is missing or differs from its checksum.
        """
        sha256: Any = self._row.image["labels_sha256"]
        return None if sha256 is None else self._blobs.get(sha256)

    @cached_property
    def objects(self) -> list[boundaries.OutlinedObject]:
        """Objects of the label image."""
        return [] if self.mask is None else boundaries.find(label_png.decode(self.mask))

    @property
    def original(self) -> Path:
        """Path of the uploaded file.

        Raises:
            BlobMissing, BlobDamaged: the stored file is missing or differs from its checksum.
        """
        return self._blobs.path_of(self.image.sha256)

    def display(self) -> NDArray[np.uint8]:
        """Return the image stretched for the screen, (Y, X) or (Y, X, 3); its pixels are not kept.

        Raises:
            ImageError, StorageError: they cannot be read.
        """
        raster = images.decode(self.original, self.image.page, self._limits)
        return rendering.to_display(raster.pixels, True, raster.facts.bit_depth)
