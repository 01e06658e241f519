"""Image files of an archive: label images, images with outlines, uploaded files."""

from __future__ import annotations

from pathlib import Path

from core.export.archive import ExportContext
from core.export.item import Item
from core.files.file_names import UniqueNames, uploaded_name
from core.images import rendering
from core.images.formats import HEAD_BYTES, content_type, named_as


class Masks:
    """``masks/``: the label image of each image with a result."""

    def __init__(self, context: ExportContext) -> None:
        self._archive = context.archive

    def add(self, item: Item) -> None:
        if item.mask is not None:
            item.files["mask"] = f"masks/{item.stem}.png"
            self._archive.add(item.files["mask"], item.mask)

    def finish(self) -> None:
        """Do nothing."""


class Overlays:
    """``overlays/``: the stretched image with its outlines and numbers."""

    def __init__(self, context: ExportContext) -> None:
        self._archive = context.archive

    def add(self, item: Item) -> None:
        if item.mask is None:
            return
        drawn = rendering.encode_png(rendering.draw_outlines(item.display(), item.spheroids))
        item.files["overlay"] = f"overlays/{item.stem}.png"
        self._archive.add(item.files["overlay"], drawn)

    def finish(self) -> None:
        """Do nothing."""


class Originals:
    """``originals/``: each uploaded file once, even if several images are its pages."""

    def __init__(self, context: ExportContext) -> None:
        self._archive = context.archive
        self._names = UniqueNames()
        self._there: set[str] = set()

    def add(self, item: Item) -> None:
        if item.image.sha256 in self._there:
            return
        original = item.original
        with original.open("rb") as file:
            media_type = content_type(file.read(HEAD_BYTES))
        saved = Path(named_as(media_type, uploaded_name(item.image)))
        self._archive.add_file(f"originals/{self._names.name(saved.stem, saved.suffix)}", original)
        self._there.add(item.image.sha256)

    def finish(self) -> None:
        """Do nothing."""
