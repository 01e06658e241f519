"""The rows of one project's table in memory, and for each sort an order of its rows.

A table is never changed, only replaced by a patched one, so readers need no lock.

An order is an int32 array of row slots (``row_slots``), ascending; each sort has one, made when it is first
needed. Descending, rows without a value come last as well, so an order is read in parts, each backwards.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.listing.image_query import Sort
from core.listing.image_table import ENUMS, RANGES, SORTS, row_type
from core.listing.keyset import KeyValues, plain
from core.listing.row_slots import RowSlots
from core.models import Finding, ImageFilter, ImageRow, ImageStatus
from core.models.quality import LOOK_BELOW

RowOrder = NDArray[np.int32]
RowKey = tuple[Any, ...]

TAIL_ROWS = 2048  # copied at every patch: 0.1 ms
MAX_FILTERS = 8
N_NEWEST = 4
_COLUMNS = {"id": (), **SORTS}
# Words by their codes, which are in the order of the database's enums.
_WORDS = {name: list(words) for name, words in ENUMS.items()}
_STATUSES = list(ImageStatus)
_FINDINGS = {
    Finding.LOOK_AT_THIS: pl.col("confidence") < LOOK_BELOW,
    Finding.NOTHING_FOUND: pl.col("n_objects") == 0,
    Finding.SEVERAL_FOUND: pl.col("n_objects") > 1,
    Finding.OWN_SETTINGS: pl.col("own_settings"),
}
_ROW = row_type(ImageRow)
_PAGE_COLUMNS = [field.name for field in fields(_ROW)]


class ProjectTable:
    """See the module. Any thread may call every method."""

    def __init__(self, rows: RowSlots, orders: dict[str, RowOrder]) -> None:
        self._rows = rows
        self._orders = orders
        self._filtered: OrderedDict[tuple[str, ImageFilter], RowOrder] = OrderedDict()
        self._lock = threading.Lock()  # of the filtered orders

    @classmethod
    def of(cls, frame: pl.DataFrame) -> ProjectTable:
        """The rows of ``frame``, which has the listed columns and comes sorted by id."""
        return cls(RowSlots.of(frame, _PAGE_COLUMNS), {"id": np.arange(len(frame), dtype=np.int32)})

    def __len__(self) -> int:
        return len(self._orders["id"])

    @property
    def n_bytes(self) -> int:
        """Bytes of the rows and the orders."""
        with self._lock:
            orders = [*self._orders.values(), *self._filtered.values()]
        return self._rows.n_bytes + sum(order.nbytes for order in orders)

    def has_order(self, sort: str) -> bool:
        """Whether a page by this sort costs no sorting."""
        return sort in self._orders

    def order(self, sort: str) -> RowOrder:
        """Slots of all rows, ascending by the columns of the sort and the id, missing values last."""
        if (order := self._orders.get(sort)) is None:
            used = self._orders["id"]
            keys = self._rows.columns(used, [*SORTS[sort], "id"])
            positions = keys.select(pl.arg_sort_by(*SORTS[sort], "id", nulls_last=True)).to_series()
            order = self._orders[sort] = used[positions.to_numpy()]
        return order

    def filtered(self, sort: str, filters: ImageFilter) -> RowOrder:
        """As ``order``, of the rows that pass a checked filter whose name is in the case of ``name_key``."""
        if filters == ImageFilter():
            return self.order(sort)
        key = (sort, filters)
        with self._lock:
            if key in self._filtered:
                self._filtered.move_to_end(key)
                return self._filtered[key]
        order = self.order(sort)
        passed = self._rows.evaluate(pl.all_horizontal(*_conditions(filters)).fill_null(False))
        filtered: RowOrder = order[passed[order]]
        with self._lock:
            self._filtered[key] = filtered
            while len(self._filtered) > MAX_FILTERS:
                self._filtered.popitem(last=False)
        return filtered

    def page(
        self, order: RowOrder, sort: Sort, limit: int, offset: int
    ) -> tuple[tuple[ImageRow, ...], KeyValues]:
        """Up to ``limit`` rows from ``offset`` of an order of this sort, and the keys of the last."""
        slots = self._window(order, sort, limit, offset)
        rows = self._rows.page(slots).rows(named=True)
        for row in rows:
            for name, words in _WORDS.items():
                if (code := row[name]) is not None:
                    row[name] = words[code]
        last = self._keys(sort, slots[-1]) if len(slots) else ()
        return tuple(_ROW(**row) for row in rows), last

    def position_after(self, order: RowOrder, sort: Sort, keys: Sequence[Any]) -> int:
        """Number of rows in an order of this sort up to and with the one that has, or had, these keys."""
        *values, image_id = keys
        columns = SORTS[sort.name]
        values = [
            _WORDS[column].index(value) if column in _WORDS and value is not None else value
            for column, value in zip(columns, values, strict=True)
        ]
        key = (*map(_ranked, values), image_id)
        if not sort.descending:
            return bisect_right(order, key, key=partial(self._key, sort.name))
        n_missing = sum(1 for _ in takewhile(lambda value: value is None, values))
        ends = [0, *self._parts(order, sort), *[len(order)] * len(values)]
        return ends[n_missing] + ends[n_missing + 1] - self._before(order, sort.name, key)

    def ids(self, order: RowOrder, sort: Sort) -> list[str]:
        """The ids of the rows of an order of this sort."""
        return self._ids_at(self._window(order, sort, len(order), 0))

    def totals(self) -> dict[str, Any]:
        """Numbers of images by status and finding, the last addition, the newest four: projects.totals."""
        used = self._orders["id"]
        columns = self._rows.columns(used, ["status", "confidence", "n_objects", "own_settings"])
        statuses, finding_counts = columns["status"], columns.select(**_FINDINGS).sum()
        counts = np.bincount(statuses, minlength=len(_STATUSES))
        newest = self._rows.columns(self.order("created")[: -N_NEWEST - 1 : -1], ["id", "created_at"])
        return {
            **{status.value: int(count) for status, count in zip(_STATUSES, counts, strict=True)},
            **{finding.value: finding_counts[finding.value][0] or 0 for finding in Finding},
            "last_image_at": newest["created_at"][0] if len(newest) else None,
            "newest": newest["id"].to_list(),
        }

    def size(self) -> dict[str, int]:
        """Number of images, and of spheroids of results in force: results.size."""
        counted = pl.when(pl.col("version_id").is_not_null()).then(pl.col("n_objects")).fill_null(0)
        used = self._orders["id"]
        return {"images": len(used), "objects": int(self._rows.evaluate(counted)[used].sum(dtype=np.int64))}

    def place(self, order: RowOrder, sort: Sort, image_id: str) -> int | None:
        """Position of an image in an order of this sort, from 0; None if it is not in it."""
        slot = self._slot(image_id)
        if slot is None:
            return None
        key = self._key(sort.name, slot)
        place = self._before(order, sort.name, key)
        if place == len(order) or order[place] != slot:
            return None
        if not sort.descending:
            return place
        start = 0
        for stop in self._parts(order, sort):
            if place < stop:
                return start + stop - 1 - place
            start = stop
        raise AssertionError("the last part ends with the order")

    def id_at(self, order: RowOrder, sort: Sort, place: int) -> str | None:
        """The id of the row at a position of an order of this sort; None beyond its ends."""
        if not 0 <= place < len(order):
            return None
        return self._ids_at(self._window(order, sort, 1, place))[0]

    def with_rows_replaced(self, ids: Sequence[str], fresh: pl.DataFrame) -> ProjectTable:
        """Return the table with the rows of ``ids`` replaced by ``fresh``, which lacks deleted ones."""
        removed = [slot for slot in map(self._slot, ids) if slot is not None]
        added = range(len(self._rows), len(self._rows) + len(fresh))
        table = ProjectTable(self._rows.appended(fresh), dict(self._orders))
        for sort, order in table._orders.items():
            table._orders[sort] = table._moved(order, sort, removed, added)
        return table._compacted() if table._rows.n_tail > TAIL_ROWS else table

    def _moved(self, order: RowOrder, sort: str, removed: Sequence[int], added: Sequence[int]) -> RowOrder:
        order = np.delete(order, [self._before(order, sort, self._key(sort, slot)) for slot in removed])
        added = sorted(added, key=partial(self._key, sort))
        places = [self._before(order, sort, self._key(sort, slot)) for slot in added]
        return np.insert(order, places, np.asarray(added, np.int32)) if places else order

    def _compacted(self) -> ProjectTable:
        """The same rows without a tail and without unused slots."""
        used = self._orders["id"]
        new_slots = np.empty(len(self._rows), np.int32)
        new_slots[used] = np.arange(len(used), dtype=np.int32)
        orders = {sort: new_slots[order] for sort, order in self._orders.items()}
        return ProjectTable(self._rows.compacted(used), orders)

    def _ids_at(self, slots: RowOrder) -> list[str]:
        return self._rows.columns(slots, ["id"])["id"].to_list()

    def _window(self, order: RowOrder, sort: Sort, limit: int, offset: int) -> RowOrder:
        if not sort.descending:
            return order[offset : offset + limit]
        pieces, start = [order[:0]], 0
        for stop in self._parts(order, sort):
            first, last = max(offset, start), min(offset + limit, stop)
            if first < last:  # the part's n-th row from its end
                pieces.append(order[start + stop - last : start + stop - first][::-1])
            start = stop
        return np.concatenate(pieces)

    def _parts(self, order: RowOrder, sort: Sort) -> Iterator[int]:
        """Ends of the parts: rows with every value of the sort, those that lack the first, and so on."""
        for index, column in enumerate(SORTS[sort.name]):
            if not self._rows.has_nulls(column):
                break
            yield self._before(order, sort.name, ((_MISSING,),) * (index + 1))
        yield len(order)

    def _before(self, order: RowOrder, sort: str, key: RowKey) -> int:
        return bisect_left(order, key, key=partial(self._key, sort))

    def _key(self, sort: str, slot: int) -> RowKey:
        value = self._rows.value
        return (*(_ranked(value(column, slot)) for column in _COLUMNS[sort]), value("id", slot))

    def _keys(self, sort: Sort, slot: int) -> KeyValues:
        columns = (*SORTS[sort.name], "id")
        values = ((column, self._rows.value(column, slot)) for column in columns)
        return tuple(
            _WORDS[column][value].value if column in _WORDS and value is not None else plain(value)
            for column, value in values
        )

    def _slot(self, image_id: str) -> int | None:
        order = self._orders["id"]
        place = self._before(order, "id", (image_id,))
        if place < len(order) and self._rows.value("id", order[place]) == image_id:
            return int(order[place])
        return None


_MISSING = 2


def _ranked(value: Any) -> tuple[Any, ...]:
    """``value`` so that Python compares it as the database does: NaN after numbers, missing values last."""
    if value is None:
        return (_MISSING,)
    return (0, value) if value == value else (1,)  # noqa: PLR0124 - NaN alone differs from itself


def _conditions(filters: ImageFilter) -> Iterator[pl.Expr]:
    if filters.status:
        yield pl.col("status").is_in([_STATUSES.index(status) for status in filters.status])
    if filters.name:
        yield pl.col("name_key").str.contains(filters.name, literal=True)
    if filters.findings:
        yield pl.any_horizontal([_FINDINGS[finding] for finding in filters.findings])
    if filters.review:
        yield pl.col("review").is_in([_WORDS["review"].index(state) for state in filters.review])
    signs: tuple[tuple[str, Callable[[pl.Expr, Any], pl.Expr]], ...] = (
        ("minimum", pl.Expr.ge),
        ("maximum", pl.Expr.le),
    )
    for item in filters.ranges:
        for name, sign in signs:
            if (bound := getattr(item, name)) is not None:
                value = bound if isinstance(bound, datetime) else float(bound)
                yield sign(pl.col(RANGES[item.column]), value)
