"""The read model behind the image tables: each project's rows in memory, ready in every order.

DuckDB never uses an index for a page, so pages at a depth, or by a measured column, cost it tens of
milliseconds at 200 000 images. Here a project's rows are loaded from it on first use. A commit only notes
which rows it changes, before and after it is done, and the next reader fetches those: whoever has seen or
heard of a write sees it here, too, and writers pay nothing for tables that nobody looks at. DuckDB stays the
truth; dropping a project from here is always right, and costs the next reader the time to load it.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from core.db import Database
from core.db.session import ExecutedStatement, Session
from core.listing.image_query import Sort
from core.listing.image_table import ENUM_CODES, SELECT_LIST
from core.listing.project_table import ProjectTable, RowOrder
from core.models import ImageFilter, ImageRow, Page

log = logging.getLogger(__name__)

PATCHED_AT_MOST = 50  # images at once, and a thousandth of the project's: loading anew costs less than more
# These change every image of a project, or hide them all.
_WHOLE = frozenset({"projects.set_pixel_size", "projects.purge"})


@dataclass(slots=True)
class _Entry:
    """A project: its rows, None until they are loaded, and the ids of those that are not as they were.

    ``stale`` is None where all are to be loaded; ``current`` says that nothing is to be done. Whoever does it
    holds ``lock``.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    rows: ProjectTable | None = None
    stale: set[str] | None = None
    current: bool = False
    n_bytes: int = 0


@dataclass(slots=True)
class _Counts:
    """What has happened since the start."""

    hits: int = 0
    loads: int = 0
    patches: int = 0
    dropped: int = 0
    evictions: int = 0


class PageIndex:
    """Pages of images from memory, at most ``max_bytes`` of it. Any thread may call every method."""

    def __init__(self, db: Database, max_bytes: int) -> None:
        self._db = db
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the one used last stands last
        self._too_large: set[str] = set()
        self._counts = _Counts()
        self._lock = threading.Lock()  # of all the above; held for moments only
        db.add_commit_hook(self._follow)

    def page(
        self, project_id: str, wanted: ImageFilter, sort: Sort, limit: int, start: int | tuple[Any, ...]
    ) -> Page[ImageRow] | None:
        """A page by a checked filter, from an offset on or behind the keys of a row.

        None where the project does not fit, so that SQL has to answer.
        """
        found = self._narrowed(project_id, sort, wanted)
        if found is None:
            return None
        rows, order = found
        offset = start if isinstance(start, int) else rows.up_to(order, sort, start)
        items, last = rows.page(order, sort, limit, offset)
        return Page(items, len(order), offset, limit, last)

    def ids(self, project_id: str, wanted: ImageFilter, sort: Sort) -> list[str] | None:
        """All ids that pass a checked filter, ascending; None as in ``page``."""
        found = self._narrowed(project_id, sort, wanted)
        return None if found is None else found[0].ids(found[1])

    def around(
        self, project_id: str, wanted: ImageFilter, sort: Sort, image_id: str
    ) -> tuple[str | None, str | None, int, int] | None:
        """The ids before and after an image, its position from 1 and the total; None also where it is not."""
        found = self._narrowed(project_id, sort, wanted)
        if found is None:
            return None
        rows, order = found
        place = rows.place(order, sort, image_id)
        if place is None:
            return None
        before, after = (rows.id_at(order, sort, place + step) for step in (-1, 1))
        return before, after, place + 1, len(order)

    def totals(self, project_id: str) -> dict[str, Any] | None:
        """What projects.totals says of a project; None where it is not at hand: it is not loaded for this."""
        rows = self._at_hand(project_id)
        return None if rows is None else rows.totals()

    def size(self, project_id: str) -> dict[str, int] | None:
        """What results.size says of a project; None as in ``totals``."""
        rows = self._at_hand(project_id)
        return None if rows is None else rows.size()

    def clear(self) -> None:
        """Forget every project; each is loaded again when it is asked for."""
        with self._lock:
            self._entries.clear()
            self._too_large.clear()

    def snapshot(self) -> dict[str, int]:
        """What it holds, and what has happened since the start."""
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

    def _narrowed(
        self, project_id: str, sort: Sort, wanted: ImageFilter
    ) -> tuple[ProjectTable, RowOrder] | None:
        wanted = self._folded(wanted)
        if project_id in self._too_large:
            return None
        with self._lock:
            entry = self._entries.setdefault(project_id, _Entry())
            self._entries.move_to_end(project_id)
        rows = self._fresh(entry, project_id, sort.name)
        order = rows.narrowed(sort.name, wanted)
        self._weigh(entry, rows)
        return rows, order

    def _at_hand(self, project_id: str) -> ProjectTable | None:
        with self._lock:
            entry = self._entries.get(project_id)
            if entry is None or entry.rows is None or not entry.rows.has_order("created"):
                return None
        return self._fresh(entry, project_id, "created")

    def _fresh(self, entry: _Entry, project_id: str, sort: str) -> ProjectTable:
        """A project's rows with all that has been committed, and their order by ``sort``."""
        with self._lock:
            if entry.current and entry.rows is not None and entry.rows.has_order(sort):
                self._counts.hits += 1
                return entry.rows
        with entry.lock:
            with self._lock:
                rows, stale = entry.rows, entry.stale
                entry.stale, entry.current = set(), False  # what is committed from here on is noted anew
            try:
                rows = self._caught_up(project_id, rows, stale)
            except BaseException:
                with self._lock:
                    entry.stale = entry.rows = None
                raise
            rows.order(sort)
            with self._lock:
                if entry.stale is not None:
                    entry.rows, entry.current = rows, not entry.stale
        return rows

    def _caught_up(self, project_id: str, rows: ProjectTable | None, stale: set[str] | None) -> ProjectTable:
        with self._db.read() as session:
            if rows is not None and stale is not None:
                if not stale:
                    return rows
                try:
                    patched = rows.patched(sorted(stale), _rows_of(session, project_id, stale))
                except Exception:  # whatever it is: what cannot be patched can be loaded
                    log.exception("event=page_index.patch_failed")
                else:
                    with self._lock:
                        self._counts.patches += 1
                    return patched
            with self._lock:
                self._counts.loads += 1
            frame = session.frame(
                "images.table", {"project_id": project_id}, columns=SELECT_LIST, codes=ENUM_CODES
            )
            return ProjectTable.of(frame)

    def _folded(self, wanted: ImageFilter) -> ImageFilter:
        """The filter with its name in the case that the database compares in."""
        name = wanted.name
        if name is None:
            return wanted
        if not name.isascii():
            with self._db.read() as session:
                folded: str = session.rows("images.folded", {"text": name})[0]["text"]
        else:
            folded = name.lower()
        return ImageFilter(wanted.status, folded, wanted.ranges)

    def _weigh(self, entry: _Entry, rows: ProjectTable) -> None:
        """Note how much a project takes, and drop those used longest ago until all fit."""
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
    def _follow(self, _session: Session, ran: Sequence[ExecutedStatement]) -> Iterator[None]:
        changed = changed_images(ran)
        self._note(changed)  # whoever reads from here on asks the database
        try:
            yield
        finally:
            self._note(changed)  # and whoever asked it before the commit was done asks once more

    def _note(self, changed: Mapping[str, set[str] | None]) -> None:
        with self._lock:
            for key, ids in changed.items():
                if ids is None or len(ids) > PATCHED_AT_MOST:
                    self._too_large.discard(key)  # it may fit now
                entry = self._entries.get(key)
                if entry is None or entry.stale is None:
                    continue
                entry.current = False
                entry.stale |= ids or set()
                if ids is None or len(entry.stale) > PATCHED_AT_MOST + len(entry.rows or ()) // 1000:
                    entry.stale = entry.rows = None
                    self._counts.dropped += 1


def _rows_of(session: Session, project_id: str, ids: Iterable[str]) -> pl.DataFrame:
    found = session.frame("images.table_of", {"ids": list(ids)}, columns=SELECT_LIST, codes=ENUM_CODES)
    return found.filter(pl.col("project_id") == project_id).drop("project_id")


def changed_images(ran: Sequence[ExecutedStatement]) -> dict[str, set[str] | None]:
    """Ids of the images that a transaction may have changed, by project; None where it may be all of them."""
    changed: dict[str, set[str] | None] = {}
    for name, rows in ran:
        if name in _WHOLE:
            changed |= dict.fromkeys(row["id"] for row in rows)
        elif name.startswith("images."):
            for row in rows:
                if "project_id" in row and (ids := changed.setdefault(row["project_id"], set())) is not None:
                    ids.add(row["id"])
    return changed
