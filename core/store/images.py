"""Images: added with their jobs, paged, filtered, deleted for a while, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import NotFound
from core.listing.image_query import DEFAULT_SORT, Sort, checked, where
from core.listing.image_table import SELECT_LIST
from core.listing.keyset import KeyValues, keys_of, parse_keys, rows_after
from core.listing.page_index import PageIndex
from core.models import (
    Image,
    ImageFilter,
    ImageRow,
    ImageStatus,
    Page,
    PageFacts,
    PixelSizeMethod,
    PixelSizeSource,
)
from core.models.text import NO_IMAGE
from core.store.projects import checked_pixel_size, require_project
from core.store.rows import image_of, image_row_of

MAX_CACHED_PROJECTS = 20_000  # images whose project is cached: 4 MB


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
    """The table of images. Methods may be called from any thread."""

    def __init__(self, db: Database, index: PageIndex | None = None) -> None:
        self._db = db
        self._index = index
        self._projects: dict[str, str] = {}  # by image, a cache

    def project_of(self, image_id: str) -> str:
        """Return the project that an image belongs to, deleted or not; it never changes, so it is cached.

        Raises:
            NotFound: there is no such image.
        """
        if (known := self._projects.get(image_id)) is not None:
            return known
        with self._db.read() as session:
            row = session.one("images.project", {"id": image_id})
        if row is None:
            raise NotFound(NO_IMAGE)
        if len(self._projects) >= MAX_CACHED_PROJECTS:
            self._projects.clear()
        project: str = row["project_id"]
        self._projects[image_id] = project
        return project

    def get(self, image_id: str) -> Image:
        """Return one image.

        Raises:
            NotFound: it does not exist or has been deleted.
        """
        with self._db.read() as session:
            row = session.one("images.get", {"id": image_id})
        if row is None:
            raise NotFound(NO_IMAGE)
        return image_of(row)

    def page(
        self,
        project_id: str,
        image_filter: ImageFilter = ImageFilter(),  # noqa: B008 - frozen
        sort: str = DEFAULT_SORT,
        limit: int = 50,
        offset: int = 0,
        after: KeyValues | None = None,
    ) -> Page[ImageRow]:
        """Return a page of a project's images, from the page index or, where that is off or full, by SQL.

        With ``after`` it begins behind the row with those keys, and its ``offset`` says where that is.

        Raises:
            InvalidRequest: no such sort, a range that cannot be, or keys of another order.
        """
        order, image_filter = Sort.parse(sort), checked(image_filter)
        start = offset if after is None else parse_keys(order.keys(), after)
        page = None
        if self._index is not None:
            page = self._index.page(project_id, image_filter, order, limit, start)
        return page or self._page_by_sql(project_id, image_filter, order, (limit, offset), after)

    def _page_by_sql(
        self,
        project_id: str,
        image_filter: ImageFilter,
        sort: Sort,
        window: tuple[int, int],
        after: KeyValues | None,
    ) -> Page[ImageRow]:
        conditions, values = where(image_filter)
        values["project_id"] = project_id
        condition, bound = rows_after(sort.keys(), after)
        values |= bound
        limit, offset = window
        if after is not None:
            offset = 0
        page_window = {"limit": limit, "offset": offset}
        parts = {"columns": SELECT_LIST, "where": conditions, "rows_after": condition}
        with self._db.read() as session:
            rows = session.rows("images.page", values | page_window, order=sort.order_by(), **parts)
            count = session.rows("images.count", values, **parts)[0]
        items = tuple(image_row_of(row) for row in rows)
        last = keys_of(sort.keys(), rows[-1]) if rows else ()
        return Page(items, count["total"], offset if after is None else count["before"], limit, last)

    def ids(
        self,
        project_id: str,
        image_filter: ImageFilter = ImageFilter(),  # noqa: B008 - frozen
        sort: str = "created",
    ) -> tuple[str, ...]:
        """Return the ids of all images that pass the filter, oldest first or in another order.

        Raises:
            InvalidRequest: no such sort, or a range that cannot be.
        """
        order, image_filter = Sort.parse(sort), checked(image_filter)
        if self._index is not None and (ids := self._index.ids(project_id, image_filter, order)) is not None:
            return tuple(ids)
        conditions, values = where(image_filter)
        values["project_id"] = project_id
        parts = {"columns": SELECT_LIST, "where": conditions, "order": order.order_by()}
        with self._db.read() as session:
            rows = session.rows("images.ids", values, **parts)
        return tuple(row["id"] for row in rows)

    def neighbours(
        self,
        image: Image,
        sort: str = DEFAULT_SORT,
        image_filter: ImageFilter = ImageFilter(),  # noqa: B008 - frozen
    ) -> Neighbours:
        """Return the images before and after ``image`` in its project, or among those that pass the filter.

        Raises:
            InvalidRequest: no such sort, or a range that cannot be.
            NotFound: the image has been deleted, or does not pass the filter.
        """
        order, image_filter = Sort.parse(sort), checked(image_filter)
        if self._index is not None:
            neighbours = self._index.neighbours(image.project_id, image_filter, order, image.id)
            if neighbours is not None:
                return Neighbours(*neighbours)
        conditions, values = where(image_filter)
        values |= {"project_id": image.project_id, "id": image.id}
        parts = {"columns": SELECT_LIST, "where": conditions, "order": order.order_by()}
        with self._db.read() as session:
            rows = session.rows("images.neighbours", values, **parts)
        if not rows:
            raise NotFound(NO_IMAGE)
        return Neighbours(**rows[0])

    def known(self, ids: Sequence[str]) -> dict[str, bool]:
        """Return which of ``ids`` exist, and whether each has been deleted."""
        with self._db.read() as session:
            return {row["id"]: row["deleted"] for row in session.rows("images.known", {"ids": list(ids)})}

    def set_pixel_size(
        self,
        ids: Sequence[str],
        um_per_px: float | None,
        method: PixelSizeMethod = PixelSizeMethod.TYPED,
    ) -> None:
        """Set the pixel size of images by hand, or take that back with None; measurements follow it.

        Raises:
            InvalidRequest: the size cannot be one.
        """
        values = {"ids": list(ids), "um_per_px": checked_pixel_size(um_per_px), "method": method.value}
        self._db.write(lambda session: session.rows("images.set_pixel_size", values))

    def delete(self, project_id: str, ids: Sequence[str], deleted_by: str | None = None) -> tuple[str, ...]:
        """Delete images, whose jobs are cancelled; ``restore`` undoes it until they are purged."""

        def work(session: Session) -> tuple[str, ...]:
            values = {"project_id": project_id, "ids": list(ids), "now": utc_now()}
            values |= {"deleted_by": deleted_by}
            deleted_ids = tuple(row["id"] for row in session.rows("images.delete", values))
            jobs = {"ids": None, "image_ids": list(deleted_ids), "project_id": None, "visible": None}
            session.rows("jobs.cancel", jobs | {"now": utc_now()})
            session.rows("images.settle", {"ids": list(deleted_ids)})
            return deleted_ids

        return self._db.write(work)

    def restore(self, project_id: str, ids: Sequence[str]) -> int:
        """Restore deleted images; return how many were restored."""
        values = {"project_id": project_id, "ids": list(ids)}
        return len(self._db.write(lambda session: session.rows("images.restore", values)))


def insert(session: Session, project_id: str, images: Sequence[NewImage]) -> None:
    """Insert rows for ``images`` within the caller's transaction."""
    project, now = require_project(session, project_id), utc_now()
    # A microsecond apart, so that the pages of a file keep their order.
    times = [now + timedelta(microseconds=index) for index in range(len(images))]
    rows = [
        _row(project, image, time) | {"project_id": project_id}
        for image, time in zip(images, times, strict=True)
    ]
    session.rows_from("images.add", pl.DataFrame(rows, infer_schema_length=None))


def _row(project: Row, image: NewImage, time: datetime) -> dict[str, Any]:
    facts = image.facts
    size, source, method = facts.um_per_px, PixelSizeSource.FILE, None
    if size is None and project["um_per_px"] is not None:
        size, source = project["um_per_px"], PixelSizeSource.PROJECT
        method = project["um_per_px_method"]
    return {
        "id": image.id,
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
        "um_per_px_method": method,
        "status": ImageStatus.NEW.value,
    }
