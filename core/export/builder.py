"""Write an archive image by image, so that all parts have the same result of an image."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from core.clock import utc_now
from core.errors import AppBusy, BlobDamaged, BlobMissing, ImageError, ImageTooLarge, InvalidRequest
from core.export.archive import Archive, ExportContext
from core.export.history import add_history
from core.export.item import Item
from core.export.methods import CITATION, Tally, methods
from core.export.provenance import Origin
from core.export.request import ExportRequest, Part
from core.export.second_opinions import add_second_opinions
from core.export.spreadsheets import Problems
from core.export.writers import FORMATS, Writer
from core.files.blobs import Blobs
from core.files.file_names import UniqueNames, stem
from core.images.memory import overlay_bytes
from core.listing import export_rows
from core.queue.admission import Admission
from core.segmentation import EngineRegistry
from core.settings import Settings
from core.store import Store
from core.store.rows import image_of

OF_THE_IMAGE = (BlobMissing, BlobDamaged, ImageError)
OF_PIXELS = frozenset({Part.OVERLAYS, Part.ROIS, Part.COCO})  # parts for which an image or mask is decoded
MEMORY_WAIT_SECONDS = 600.0  # for one image; exports run in the background


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """Numbers of a finished archive."""

    n_images: int
    problems: int


@dataclass(frozen=True, slots=True)
class ArchiveBuilder:
    """Writes exports as zip files."""

    store: Store
    blobs: Blobs
    settings: Settings
    engines: EngineRegistry
    admission: Admission

    def size(self, request: ExportRequest) -> int:
        """Return the number of images of an export.

        Raises:
            NotFound: the project is not there (any more).
            InvalidRequest: there is nothing to export, or more than the limit.
        """
        self.store.projects.get(request.project_id)
        size = self.store.results.size(request.project_id, request.image_ids)
        if not size.images or not request.parts:
            raise InvalidRequest("There is nothing to export: choose images and at least one format.")
        refuse_too_many(max(size.images, size.objects), self.settings.max_export_rows)
        return size.images

    def make(self, request: ExportRequest, folder: Path, step: Callable[[int], None]) -> BuildSummary:
        """Write ``folder``/archive.zip.

        ``step`` is called with the number of images done; it may raise to stop.

        Raises:
            StorageError: the disk or the database refuses.
        """
        now = utc_now()
        origin = Origin(self.store.projects.get(request.project_id), request, self.settings, now)
        with ExitStack() as stack:
            archive = Archive(folder / "archive.zip", now, self.settings.min_free_mb * 2**20)
            stack.enter_context(archive)
            context = ExportContext(archive, folder, stack)
            archive.add("README.txt", origin.readme())
            archive.add("formulas.csv", export_rows.formulas_text().encode())
            archive.add("CITATION.cff", CITATION.encode())
            return self._fill(context, request, origin, step)

    def _fill(
        self, context: ExportContext, request: ExportRequest, origin: Origin, step: Callable[[int], None]
    ) -> BuildSummary:
        writers = {part: kind.writer(context) for part, kind in FORMATS.items() if part in request.parts}
        problems, tally = Problems(context), Tally()
        rows = self.store.exports.images(
            request.project_id, request.image_ids, contours=Part.OVERLAYS in request.parts
        )
        names = UniqueNames()
        for row in rows:
            step(tally.images)
            file_stem = names.name(stem(image_of(row.image)))
            item = Item(row, file_stem, self.blobs, self.settings.limits, request.digits)
            self._add(item, writers, problems)
            tally.add(item)
        step(tally.images)
        for writer in writers.values():
            writer.finish()
        problems.finish()
        chosen = request.project_id, request.image_ids
        add_history(context, self.store.correction_audit.of_project(*chosen))
        add_second_opinions(context, self.store.second_opinions.of_project(*chosen))
        context.archive.add("METHODS.txt", methods(tally, self.engines).encode())
        context.archive.add("provenance.json", origin.provenance(tally, self.engines))
        return BuildSummary(tally.images, problems.count)

    def _add(self, item: Item, writers: dict[Part, Writer], problems: Problems) -> None:
        """Write every part of one image; those made of its pixels only once there is memory for them."""
        image = item.image
        refusal: AppBusy | ImageTooLarge | None = None
        with ExitStack() as stack:
            if writers.keys() & OF_PIXELS:
                try:
                    stack.enter_context(
                        self.admission.hold(overlay_bytes(image), image.name, MEMORY_WAIT_SECONDS)
                    )
                except (AppBusy, ImageTooLarge) as error:
                    refusal = error
            for part, writer in writers.items():
                if refusal is not None and part in OF_PIXELS:
                    problems.add(image.name, part.value, refusal.code, refusal.message)
                else:
                    _add(item, part, writer, problems)


def refuse_too_many(rows: int, limit: int) -> None:
    """Refuse a table that would have to be cut.

    Raises:
        InvalidRequest: there are more than ``limit``.
    """
    if rows > limit:
        raise InvalidRequest(
            f"This export would have {rows:,} rows; at most {limit:,} are given. "
            "Export image by image, or raise MAX_EXPORT_ROWS."
        )


def _add(item: Item, part: Part, writer: Writer, problems: Problems) -> None:
    """Write a part of one image; a missing or damaged file becomes a line of problems.csv."""
    try:
        writer.add(item)
    except OF_THE_IMAGE as error:
        problems.add(item.image.name, part.value, error.code, error.message)
