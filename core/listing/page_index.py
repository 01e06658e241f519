"""Page index: the rows of the image tables in memory, by project, ready in every order.

DuckDB never uses an index for a page, so pages at a depth, or by a measured column, take tens of milliseconds
at 200,000 images. Here a project's rows are loaded on first use. A commit only notes the ids of the rows that
it changes, before and after COMMIT, and the next reader fetches those rows: every acknowledged write is seen,
and writers pay nothing for tables that nobody looks at. DuckDB stays the truth; a project may be dropped from
the index at any time, and is then loaded again by its next reader.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from core.db import Database
from core.db.session import ExecutedStatement, Session
from core.listing.image_query import Sort
from core.listing.image_table import ENUM_CODES, SELECT_LIST
from core.listing.project_table import ProjectTable, RowOrder
from core.models import ImageFilter, ImageRow, Page

log = logging.getLogger(__name__)

MAX_PATCHED = 50  # images at once, and a thousandth of the project's: beyond, loading anew costs less
# Statements that change every image of a project, or hide them all.
_WHOLE_PROJECT = frozenset({"projects.set_pixel_size", "projects.purge"})


@dataclass(slots=True)
class _Entry:
    """A project: its rows, None until they are loaded, and the ids of rows that have changed since.

    ``stale`` is None if all rows have to be loaded; ``current`` says that nothing has to be done. ``lock`` is
    held while rows are loaded or patched.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    rows: ProjectTable | None = None
    stale: set[str] | None = None
    current: bool = False
    n_bytes: int = 0


@dataclass(slots=True)
class _Counts:
    """Events since the start."""

    hits: int = 0
    loads: int = 0
    patches: int = 0
    dropped: int = 0
    evictions: int = 0


class PageIndex:
    """Pages of images from at most ``max_bytes`` of memory. Any thread may call every method."""

    def __init__(self, db: Database, max_bytes: int) -> None:
        self._db = db
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # least recently used first
        self._too_large: set[str] = set()
        self._counts = _Counts()
        self._lock = threading.Lock()  # of the fields above; held for moments only
        db.add_commit_hook(self._commit_hook)

    def page(
        self, project_id: str, filters: ImageFilter, sort: Sort, limit: int, start: int | tuple[Any, ...]
    ) -> Page[ImageRow] | None:
        """A page by a checked filter, from an offset or after the keys of a row.

        None if the project does not fit in memory: the caller has to use SQL.
        """
        filtered = self._filtered(project_id, sort, filters)
        if filtered is None:
            return None
        rows, order = filtered
        offset = start if isinstance(start, int) else rows.position_after(order, sort, start)
        items, last = rows.page(order, sort, limit, offset)
        return Page(items, len(order), offset, limit, last)

    def ids(self, project_id: str, filters: ImageFilter, sort: Sort) -> list[str] | None:
        """All ids that pass a checked filter, in the order of the sort; None as in ``page``."""
        filtered = self._filtered(project_id, sort, filters)
        return None if filtered is None else filtered[0].ids(filtered[1], sort)

    def neighbours(
        self, project_id: str, filters: ImageFilter, sort: Sort, image_id: str
    ) -> tuple[str | None, str | None, int, int] | None:
        """The ids before and after an image, its position from 1, and the total.

        None as in ``page``, and if the image does not pass the filter.
        """
        filtered = self._filtered(project_id, sort, filters)
        if filtered is None:
            return None
        rows, order = filtered
        place = rows.place(order, sort, image_id)
        if place is None:
            return None
        before, after = (rows.id_at(order, sort, place + step) for step in (-1, 1))
        return before, after, place + 1, len(order)

    def totals(self, project_id: str) -> dict[str, Any] | None:
        """Return the row of the statement projects.totals; None if the project is not loaded."""
        rows = self._loaded(project_id)
        return None if rows is None else rows.totals()

    def size(self, project_id: str) -> dict[str, int] | None:
        """Return the row of the statement results.size; None if the project is not loaded."""
        rows = self._loaded(project_id)
        return None if rows is None else rows.size()

    def clear(self) -> None:
        """Drop every project; each is loaded again by its next reader."""
        with self._lock:
            self._entries.clear()
            self._too_large.clear()

    def snapshot(self) -> dict[str, int]:
        """Its size, and counts of events since the start."""
        with self._lock:
            counts = self._counts
            return {
                "projects": len(self._entries),
                "rows": sum(len(entry.rows) for entry in self._entries.values() if entry.rows is not None),
                "bytes": self._n_bytes(),
                "max_bytes": self._max_bytes,
                "hits": counts.hits,
                "loads": counts.loads,
                "patches": counts.patches,
                "dropped": counts.dropped,
                "evictions": counts.evictions,
                "too_large": len(self._too_large),
            }

    def _filtered(
        self, project_id: str, sort: Sort, filters: ImageFilter
    ) -> tuple[ProjectTable, RowOrder] | None:
        filters = self._with_folded_name(filters)
        if project_id in self._too_large:
            return None
        with self._lock:
            entry = self._entries.setdefault(project_id, _Entry())
            self._entries.move_to_end(project_id)
        rows = self._current_rows(entry, project_id, sort.name)
        order = rows.filtered(sort.name, filters)
        self._evict(entry, rows)
        return rows, order

    def _loaded(self, project_id: str) -> ProjectTable | None:
        with self._lock:
            entry = self._entries.get(project_id)
            if entry is None or entry.rows is None or not entry.rows.has_order("created"):
                return None
        return self._current_rows(entry, project_id, "created")

    def _current_rows(self, entry: _Entry, project_id: str, sort: str) -> ProjectTable:
        """A project's rows with everything that has been committed, and with their order by ``sort``."""
        with self._lock:
            if entry.current and entry.rows is not None and entry.rows.has_order(sort):
                self._counts.hits += 1
                return entry.rows
        with entry.lock:
            with self._lock:
                rows, stale = entry.rows, entry.stale
                entry.stale, entry.current = set(), False  # later commits note their ids here
            try:
                rows = self._updated(project_id, rows, stale)
            except BaseException:
                with self._lock:
                    entry.stale = entry.rows = None
                raise
            rows.order(sort)
            with self._lock:
                if entry.stale is not None:
                    entry.rows, entry.current = rows, not entry.stale
        return rows

    def _updated(self, project_id: str, rows: ProjectTable | None, stale: set[str] | None) -> ProjectTable:
        with self._db.read() as session:
            if rows is not None and stale is not None:
                if not stale:
                    return rows
                try:
                    updated = rows.with_rows_replaced(sorted(stale), _rows_of(session, project_id, stale))
                except Exception:  # whatever it is: a table that cannot be patched can be loaded
                    log.exception("event=page_index.patch_failed")
                else:
                    with self._lock:
                        self._counts.patches += 1
                    return updated
            with self._lock:
                self._counts.loads += 1
            frame = session.frame(
                "images.table", {"project_id": project_id}, columns=SELECT_LIST, codes=ENUM_CODES
            )
            return ProjectTable.of(frame)

    def _with_folded_name(self, filters: ImageFilter) -> ImageFilter:
        """The filter with its name in lower case, as the database makes it."""
        name = filters.name
        if name is None:
            return filters
        if not name.isascii():
            with self._db.read() as session:
                folded: str = session.rows("images.folded", {"text": name})[0]["text"]
        else:
            folded = name.lower()
        return replace(filters, name=folded)

    def _evict(self, entry: _Entry, rows: ProjectTable) -> None:
        """Note a project's size, and drop the least recently used ones until all fit."""
        entry.n_bytes = rows.n_bytes
        with self._lock:
            while self._n_bytes() > self._max_bytes:
                oldest, _ = self._entries.popitem(last=False)
                self._counts.evictions += 1
                if not self._entries:
                    self._too_large.add(oldest)

    def _n_bytes(self) -> int:
        return sum(entry.n_bytes for entry in self._entries.values())

    @contextmanager
    def _commit_hook(self, _: Session, executed: Sequence[ExecutedStatement]) -> Iterator[None]:
        changed = changed_images(executed)
        self._note(changed)  # whoever reads from here on fetches the rows
        try:
            yield
        finally:
            self._note(changed)  # and whoever fetched them before COMMIT fetches them again

    def _note(self, changed: Mapping[str, set[str] | None]) -> None:
        with self._lock:
            for key, ids in changed.items():
                if ids is None or len(ids) > MAX_PATCHED:
                    self._too_large.discard(key)  # it may fit now
                entry = self._entries.get(key)
                if entry is None or entry.stale is None:
                    continue
                entry.current = False
                entry.stale |= ids or set()
                if ids is None or len(entry.stale) > MAX_PATCHED + len(entry.rows or ()) // 1000:
                    entry.stale = entry.rows = None
                    self._counts.dropped += 1


def _rows_of(session: Session, project_id: str, ids: Iterable[str]) -> pl.DataFrame:
    rows = session.frame("images.table_of", {"ids": list(ids)}, columns=SELECT_LIST, codes=ENUM_CODES)
    return rows.filter(pl.col("project_id") == project_id).drop("project_id")


def changed_images(executed: Sequence[ExecutedStatement]) -> dict[str, set[str] | None]:
    """Ids of the images that a transaction may have changed, by project; None if it may be all of them."""
    changed: dict[str, set[str] | None] = {}
    for name, rows in executed:
        if name in _WHOLE_PROJECT:
            changed |= dict.fromkeys(row["id"] for row in rows)
        elif name.startswith("images."):
            for row in rows:
                if "project_id" in row and (ids := changed.setdefault(row["project_id"], set())) is not None:
                    ids.add(row["id"])
    return changed
