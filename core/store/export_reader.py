"""Reading for exports: images in batches with their results, without an open cursor between batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.db import Database
from core.db.session import Row, Session

BATCH_IMAGES = 500
BATCH_OBJECTS = 2000  # an outline may have a thousand points


@dataclass(frozen=True, slots=True)
class ExportedImage:
    """An image's row joined with its result's engine, and its spheroids' rows by number."""

    image: Row
    objects: tuple[Row, ...]


class ExportReader:
    """Reads images with their results, a batch at a time."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def images(
        self, project_id: str, image_ids: Sequence[str] | None = None, contours: bool = False
    ) -> Iterator[ExportedImage]:
        """Yield images by name, each with its result at the time when its batch is read.

        Without ``contours`` the objects' ``contour`` is None.
        """
        values: dict[str, Any] = {"project_id": project_id, "ids": _listed(image_ids)}
        values |= {"name": None, "id": None, "limit": BATCH_IMAGES}
        while True:
            with self._db.read() as session:
                batch = session.rows("exports.images", values)
            for group in _grouped(batch):
                with self._db.read() as session:
                    objects = _objects(session, group, contours)
                for row in group:
                    yield ExportedImage(row, tuple(objects.get(row["version_id"], ())))
            if len(batch) < BATCH_IMAGES:
                return
            values |= {"name": batch[-1]["name"], "id": batch[-1]["id"]}


def _listed(ids: Sequence[str] | None) -> list[str] | None:
    return None if ids is None else list(ids)


def _grouped(batch: Sequence[Row]) -> Iterator[list[Row]]:
    """Images that have BATCH_OBJECTS spheroids together, or more where one image alone has them."""
    group: list[Row] = []
    count = 0
    for row in batch:
        n_objects = row["n_objects"] or 0
        if group and count + n_objects > BATCH_OBJECTS:
            yield group
            group, count = [], 0
        group.append(row)
        count += n_objects
    if group:
        yield group


def _objects(session: Session, images: Sequence[Row], contours: bool) -> dict[str, list[Row]]:
    ids = [row["version_id"] for row in images if row["version_id"] is not None]
    objects: dict[str, list[Row]] = {}
    if ids:
        for row in session.rows("exports.objects", {"version_ids": ids, "contours": contours}):
            objects.setdefault(row["version_id"], []).append(row)
    return objects
