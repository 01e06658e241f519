"""Import of outlines from other programs, as corrected versions with author and source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from core.corrections.coco_files import json_memory_bytes, pictures_of_coco
from core.corrections.image_names import ImageNames
from core.corrections.measuring import described
from core.corrections.outline_drawing import Labels, Shape
from core.corrections.outline_files import OutlinedPicture, labels_of_npy, labels_of_png, pictures_of_tiff
from core.corrections.regions import Region, parts_of, regions_of
from core.corrections.roi_files import labels_of_rois
from core.corrections.source import CorrectionSource
from core.errors import InvalidRequest, SpheroscopeError
from core.files.blobs import Blobs
from core.images.label_png import MAX_LABELS
from core.models import Image, Limits, VersionKind
from core.queue.admission import Admission
from core.store import Store
from core.store.results import Correction

MAX_BYTES = 64 * 2**20  # of one file
READERS: dict[str, Callable[[bytes, Shape], Labels]] = {
    ".png": labels_of_png,
    ".zip": labels_of_rois,
    ".npy": labels_of_npy,
}
SUFFIXES = (".png", ".tif", ".tiff", ".zip", ".json", ".npy")
OUTLINES_NOTHING = "It outlines nothing, so this image has no spheroids now. Its history goes back to before."


class ImportState(StrEnum):
    """What became of the outlines of one picture."""

    IMPORTED = "imported"  # a new version, which is in force
    UNCHANGED = "unchanged"  # the image had these outlines already
    REFUSED = "refused"  # nothing was changed


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the outlines of one picture: ``message`` says why, where there is more to say.

    ``image_id`` and ``image_name`` are those of the image that it was matched with, None where none was.
    """

    name: str
    state: ImportState
    image_id: str | None
    image_name: str | None
    version_id: str | None
    n_objects: int
    message: str


class Imports:
    """Takes files of outlines. Safe from any thread."""

    def __init__(self, store: Store, source: CorrectionSource, limits: Limits, admission: Admission) -> None:
        self._store = store
        self._source = source
        self._limits = limits
        self._admission = admission

    @classmethod
    def open(cls, store: Store, blobs: Blobs, limits: Limits, admission: Admission) -> Imports:
        """Return the imports into the projects of a store."""
        return cls(store, CorrectionSource(store, blobs, limits, admission), limits, admission)

    def add(
        self,
        project_id: str,
        name: str,
        data: bytes,
        author: str,
        report: Callable[[Imported], None] = lambda row: None,
    ) -> tuple[Imported, ...]:
        """Make corrected versions of the outlines in a file: a mask, a zip of ROIs, an array, or COCO.

        A picture is matched with the image of the same name, whatever the extension. The same outlines
        again change nothing. ``report`` is called with each picture as soon as it is done.

        Raises:
            NotFound: there is no such project.
            InvalidRequest: the file is of no kind that is read, or none of it can be.
            ImageTooLarge, AppBusy: there is no memory for it, or not now.
            StorageError: the disk refuses.
        """
        self._store.projects.require(project_id)
        if len(data) > MAX_BYTES:
            raise InvalidRequest(f"A file of outlines may have {MAX_BYTES // 2**20} MiB.")
        pictures = self._pictures(name, data)
        images = ImageNames(self._store.corrections.names(project_id))
        rows = []
        for picture in pictures:
            rows.append(row := self._one(images, name, picture, author))
            report(row)
        return tuple(rows)

    def _pictures(self, name: str, data: bytes) -> Iterable[OutlinedPicture]:
        kind = PurePath(name).suffix.lower()
        if kind == ".json":
            with self._admission.hold(json_memory_bytes(data), name):
                return pictures_of_coco(name, data)
        if kind in (".tif", ".tiff"):
            return pictures_of_tiff(name, data, self._limits)
        if kind not in READERS:
            raise InvalidRequest(
                "Outlines come as label masks (PNG, TIFF), zips of ImageJ ROIs, COCO (JSON), or NumPy arrays."
            )
        return [OutlinedPicture(name, lambda shape: READERS[kind](data, shape))]

    def _one(self, images: ImageNames, source: str, picture: OutlinedPicture, author: str) -> Imported:
        image: Image | None = None
        try:
            if picture.problem:
                raise InvalidRequest(picture.problem)
            image = self._store.images.get(images.find(picture.name))
            return self._add(image, source, picture, author)
        except SpheroscopeError as error:
            key, name = (None, None) if image is None else (image.id, image.name)
            return Imported(picture.name, ImportState.REFUSED, key, name, None, 0, error.message)

    def _add(self, image: Image, source: str, picture: OutlinedPicture, author: str) -> Imported:
        if self._store.corrections.open_draft(image.id) is not None:
            raise InvalidRequest("This image is being corrected. Finish or discard that first.")
        parent = self._source.version(image.version_id)
        with self._source.admitted(image):
            objects = _in_one_part(regions_of(picture.draw((image.height, image.width))))
            pixels = self._source.pixels(image, image.version_id)
            spheroids = described(objects, objects.keys(), pixels)
            result = self._source.result(image, parent, objects, spheroids)
            self._source.forget(image.id)
        state, message = ImportState.IMPORTED, "" if objects else OUTLINES_NOTHING
        if parent and parent.kind is VersionKind.CORRECTED and parent.labels_sha256 == result.labels_sha256:
            state, message, version_id = (
                ImportState.UNCHANGED,
                "The image has these outlines already.",
                parent.id,
            )
        else:
            correction = Correction(
                author, f"imported from {source}"[:500], image.version_id, source=source[:500]
            )
            version_id = self._store.results.add_version(image.id, result, correction, image.version_id).id
        return Imported(picture.name, state, image.id, image.name, version_id, len(objects), message)


def _in_one_part(objects: dict[int, Region]) -> dict[int, Region]:
    """Objects in one part each: the largest keeps the number, the others are numbered on.

    Raises:
        InvalidRequest: there would be more than a label image can number.
    """
    largest: dict[int, Region] = {}
    rest: list[Region] = []
    for number, region in objects.items():
        first, *others = parts_of(region)
        largest[number] = first
        rest += others
    first_free = max(objects, default=0) + 1
    if first_free + len(rest) > MAX_LABELS + 1:
        raise InvalidRequest("These outlines are in more parts than a label image can number.")
    return largest | dict(enumerate(rest, start=first_free))
