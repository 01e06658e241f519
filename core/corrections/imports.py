"""Import of outlines from other programs, as corrected versions with author and source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePath

from core.corrections.measuring import described
from core.corrections.outline_files import (
    Labels,
    Shape,
    labels_of_coco,
    labels_of_npy,
    labels_of_png,
    labels_of_rois,
    labels_of_tiff,
    stem_of,
)
from core.corrections.regions import Region, parts_of, regions_of
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
    ".tif": labels_of_tiff,
    ".tiff": labels_of_tiff,
    ".zip": labels_of_rois,
    ".npy": labels_of_npy,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the outlines of one picture: ``message`` says why, where they were not taken."""

    name: str
    image_id: str | None
    version_id: str | None
    n_objects: int
    message: str


class Imports:
    """Takes files of outlines. Safe from any thread."""

    def __init__(self, store: Store, source: CorrectionSource) -> None:
        self._store = store
        self._source = source

    @classmethod
    def open(cls, store: Store, blobs: Blobs, limits: Limits, admission: Admission) -> Imports:
        """Return the imports into the projects of a store."""
        return cls(store, CorrectionSource(store, blobs, limits, admission))

    def add(self, project_id: str, name: str, data: bytes, author: str) -> tuple[Imported, ...]:
        """Make corrected versions of the outlines in a file: a mask, a zip of ROIs, an array, or COCO.

        A picture is matched with the image of the same name, whatever the extension. The same outlines
        again change nothing.

        Raises:
            NotFound: there is no such project.
            InvalidRequest: the file is of no kind that is read, or none of it can be.
            StorageError: the disk refuses.
        """
        self._store.projects.require(project_id)
        if len(data) > MAX_BYTES:
            raise InvalidRequest(f"A file of outlines may have {MAX_BYTES // 2**20} MiB.")
        images = self._images(project_id)
        return tuple(
            self._one(images, name, picture, draw, author) for picture, draw in _pictures(name, data)
        )

    def _one(
        self,
        images: dict[str, list[str]],
        source: str,
        picture: str,
        draw: Callable[[Shape], Labels],
        author: str,
    ) -> Imported:
        candidates = images.get(stem_of(picture), [])
        if len(candidates) != 1:
            reason = (
                "There is no image of this name"
                if not candidates
                else f"{len(candidates)} images have this name"
            )
            return Imported(picture, None, None, 0, f"{reason} in the project.")
        try:
            return self._add(self._store.images.get(candidates[0]), source, picture, draw, author)
        except SpheroscopeError as error:
            return Imported(picture, candidates[0], None, 0, error.message)

    def _add(
        self, image: Image, source: str, picture: str, draw: Callable[[Shape], Labels], author: str
    ) -> Imported:
        if self._store.corrections.open_draft(image.id) is not None:
            raise InvalidRequest("This image is being corrected. Finish or discard that first.")
        parent = self._source.version(image.version_id)
        with self._source.admitted(image):
            objects = _in_one_part(regions_of(draw((image.height, image.width))))
            pixels = self._source.pixels(image, image.version_id)
            spheroids = described(objects, objects.keys(), pixels)
            result = self._source.result(image, parent, objects, spheroids)
            self._source.forget(image.id)
        if parent and parent.kind is VersionKind.CORRECTED and parent.labels_sha256 == result.labels_sha256:
            return Imported(
                picture, image.id, parent.id, len(objects), "The image has these outlines already."
            )
        correction = Correction(
            author, f"imported from {source}"[:500], image.version_id, source=source[:500]
        )
        version = self._store.results.add_version(image.id, result, correction, image.version_id)
        return Imported(picture, image.id, version.id, len(objects), "")

    def _images(self, project_id: str) -> dict[str, list[str]]:
        """Ids of a project's images by the stem of their names."""
        by_stem: dict[str, list[str]] = {}
        for image_id, name in self._store.corrections.names(project_id):
            by_stem.setdefault(PurePath(name).stem.lower(), []).append(image_id)
        return by_stem


def _pictures(name: str, data: bytes) -> Iterable[tuple[str, Callable[[Shape], Labels]]]:
    kind = PurePath(name).suffix.lower()
    if kind == ".json":
        return labels_of_coco(data)
    if kind not in READERS:
        raise InvalidRequest(
            "Outlines come as label masks (PNG, TIFF), zips of ImageJ ROIs, COCO (JSON), or NumPy arrays."
        )
    reader = READERS[kind]
    return [(name, lambda shape: reader(data, shape))]


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
