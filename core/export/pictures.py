"""Image files of an archive: label images, images with outlines, uploaded files."""

from __future__ import annotations

from pathlib import Path

from core.export.archive import ExportContext
from core.export.item import Item
from core.files.file_names import UniqueNames, uploaded_name
from core.images import rendering, scale_bar
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
    """``overlays/``: the stretched image with its outlines, numbers and, where it has a scale, its bar."""

    def __init__(self, context: ExportContext) -> None:
        self._archive = context.archive

    def add(self, item: Item) -> None:
        if item.mask is None:
            return
        picture = rendering.draw_outlines(item.display(), item.spheroids)
        scale_bar.draw(picture, item.image.um_per_px)
        drawn = rendering.encode_png(picture)
        item.files["overlay"] = f"overlays/{item.stem}.png"
        self._archive.add(item.files["overlay"], drawn)

    def finish(self) -> None:
        """Do nothing."""


class Originals:
    """``originals/``: each uploaded file once, even if several images are its pages, and their checksums."""

    CHECKSUMS = "originals/SHA256SUMS.txt"  # as ``sha256sum --check`` reads it, in the folder of the files

    def __init__(self, context: ExportContext) -> None:
        self._archive = context.archive
        self._names = UniqueNames()
        self._saved: dict[str, str] = {}  # name in the archive, by SHA-256

    def add(self, item: Item) -> None:
        sha256 = item.image.sha256
        if sha256 not in self._saved:
            self._saved[sha256] = self._save(item)
        item.files["original"] = self._saved[sha256]

    def finish(self) -> None:
        lines = (f"{sha256}  {Path(name).name}\n" for sha256, name in self._saved.items())
        if self._saved:
            self._archive.add(self.CHECKSUMS, "".join(lines).encode())

    def _save(self, item: Item) -> str:
        original = item.original
        with original.open("rb") as file:
            media_type = content_type(file.read(HEAD_BYTES))
        saved = Path(named_as(media_type, uploaded_name(item.image)))
        name = f"originals/{self._names.name(saved.stem, saved.suffix)}"
        self._archive.add_file(name, original)
        return name
