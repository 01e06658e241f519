"""Images: added with their jobs, paged, filtered, deleted for a while, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from core.db import Database, Session
from core.errors import InvalidRequest, NotFound
from core.models import Image, ImageFilter, ImageStatus, Page, PageFacts, PixelSizeSource
from core.store.projects import checked_pixel_size, pixel_size_of
from core.store.rows import image_of, utc_now

# What may be sorted by, and how. Uncalibrated images come after those whose size in µm is known.
SORTS = {
    "created": "created_at {0}, id {0}",
    "name": "lower(name) {0}, id {0}",
    "status": "status {0}, id {0}",
    "objects": "n_objects {0} NULLS LAST, id {0}",
    "diameter": "largest_diameter_px * um_per_px {0} NULLS LAST, largest_diameter_px {0} NULLS LAST, id {0}",
    "circularity": "largest_circularity {0} NULLS LAST, id {0}",
    "seconds": "seconds {0} NULLS LAST, id {0}",
}
DEFAULT_SORT = "-created"


def sort_order(sort: str) -> str:
    """Return the ORDER BY of a sort: a name of SORTS, with ``-`` before it for descending.

    Raises:
        InvalidRequest: there is no such sort.
    """
    pattern = SORTS.get(sort.removeprefix("-"))
    if pattern is None:
        raise InvalidRequest(f"Images cannot be sorted by “{sort}”. Known: {', '.join(SORTS)}.")
    return pattern.format("DESC" if sort.startswith("-") else "ASC")


@dataclass(frozen=True, slots=True)
class NewImage:
    """One page of an accepted file, about to become a row."""

    id: str
    name: str
    sha256: str
    n_bytes: int
    facts: PageFacts
    thumbnail_sha256: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """An image's place in the list that it was opened from."""

    previous: str | None
    next: str | None
    position: int
    total: int


class ImageStore:
    """Everything asked of the image table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, image_id: str) -> Image:
        """One image.

        Raises:
            NotFound: it does not exist or has been deleted.
        """
        with self._db.read() as session:
            row = session.one("images.get", {"id": image_id})
        if row is None:
            raise NotFound("This image does not exist, or has been deleted.")
        return image_of(row)

    def page(
        self,
        project_id: str,
        wanted: ImageFilter = ImageFilter(),  # noqa: B008 - frozen
        sort: str = DEFAULT_SORT,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Image]:
        """A page of a project's images.

        Raises:
            InvalidRequest: no such sort.
        """
        values = _narrowed(project_id, wanted)
        order = sort_order(sort)
        with self._db.read() as session:
            rows = session.rows("images.page", {**values, "limit": limit, "offset": offset}, order=order)
            total = session.rows("images.count", values)[0]["total"]
        return Page(tuple(image_of(row) for row in rows), total, offset, limit)

    def ids(self, project_id: str, wanted: ImageFilter = ImageFilter()) -> tuple[str, ...]:  # noqa: B008
        """Ids of all images that pass the filter, oldest first."""
        with self._db.read() as session:
            return tuple(row["id"] for row in session.rows("images.ids", _narrowed(project_id, wanted)))

    def neighbours(self, image: Image, sort: str = DEFAULT_SORT) -> Neighbours:
        """The images before and after ``image`` in its project."""
        values = {"project_id": image.project_id, "id": image.id}
        with self._db.read() as session:
            rows = session.rows("images.neighbours", values, order=sort_order(sort))
        if not rows:
            raise NotFound("This image does not exist, or has been deleted.")
        return Neighbours(**rows[0])

    def known(self, ids: Sequence[str]) -> dict[str, bool]:
        """Which of ``ids`` exist, and whether each has been deleted."""
        with self._db.read() as session:
            return {row["id"]: row["deleted"] for row in session.rows("images.known", {"ids": list(ids)})}

    def set_pixel_size(self, ids: Sequence[str], um_per_px: float | None) -> None:
        """Set the pixel size of images by hand, or take that back with None.

        Raises:
            InvalidRequest: the size cannot be one.
        """
        values = {"ids": list(ids), "um_per_px": checked_pixel_size(um_per_px)}
        self._db.write(lambda session: session.rows("images.set_pixel_size", values))

    def delete(self, project_id: str, ids: Sequence[str]) -> tuple[str, ...]:
        """Put images away; ``restore`` brings them back until they are purged. Their jobs are cancelled."""

        def work(session: Session) -> tuple[str, ...]:
            values = {"project_id": project_id, "ids": list(ids), "now": utc_now()}
            gone = tuple(row["id"] for row in session.rows("images.delete", values))
            session.rows(
                "jobs.cancel", {"ids": None, "image_ids": list(gone), "project_id": None, "now": utc_now()}
            )
            session.rows("images.settle", {"ids": list(gone)})
            return gone

        return self._db.write(work)

    def restore(self, project_id: str, ids: Sequence[str]) -> int:
        """Bring deleted images back; return how many came."""
        values = {"project_id": project_id, "ids": list(ids)}
        return len(self._db.write(lambda session: session.rows("images.restore", values)))


def insert(session: Session, project_id: str, images: Sequence[NewImage]) -> None:
    """Insert rows for ``images`` within a transaction of the caller's."""
    size, now = pixel_size_of(session, project_id), utc_now()
    # A microsecond apart, so that the pages of a file keep their order.
    times = [now + timedelta(microseconds=place) for place in range(len(images))]
    rows = [_row(project_id, image, size, time) for image, time in zip(images, times, strict=True)]
    session.rows_from("images.add", pl.DataFrame(rows, infer_schema_length=None))


def _row(project_id: str, image: NewImage, project_size: float | None, time: datetime) -> dict[str, Any]:
    facts = image.facts
    size, source = facts.um_per_px, PixelSizeSource.FILE
    if size is None and project_size is not None:
        size, source = project_size, PixelSizeSource.PROJECT
    return {
        "id": image.id,
        "project_id": project_id,
        "name": image.name,
        "sha256": image.sha256,
        "page": facts.page,
        "width": facts.width,
        "height": facts.height,
        "channels": facts.channels,
        "dtype": facts.dtype,
        "bit_depth": facts.bit_depth,
        "n_bytes": image.n_bytes,
        "um_per_px_file": facts.um_per_px,
        "um_per_px_from": facts.um_per_px_from,
        "thumbnail_sha256": image.thumbnail_sha256,
        "created_at": time,
        "um_per_px": size,
        "um_per_px_source": None if size is None else source.value,
        "status": ImageStatus.NEW.value,
    }


def _narrowed(project_id: str, wanted: ImageFilter) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "status": [status.value for status in wanted.status] or None,
        "name": wanted.name or None,
    }
