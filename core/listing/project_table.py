"""The rows of one project's table in memory: a frame, and for each sort an order of its rows.

A value that is never changed, only replaced by a patched one, so readers need no lock. Rows have *slots*:
those of ``base`` come first, those of the small ``tail`` after them. A changed row gets a new slot in the
tail, and its old one is no longer in any order; when the tail has grown, both are folded into a new base.

An order is an int32 array of slots, ascending; each sort has one, made when first asked for. Descending, rows
without a value still come last, so an order is read in parts, each of them backwards.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cached_property, partial
from itertools import takewhile
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.listing.image_query import Sort
from core.listing.image_table import ENUMS, RANGES, SORTS, row_type
from core.listing.keyset import KeyValues, plain
from core.models import ImageFilter, ImageRow, ImageStatus

RowOrder = NDArray[np.int32]
RowKey = tuple[Any, ...]

TAIL_ROWS = 2048  # copied at every patch: 0.1 ms
KEPT_FILTERS = 8
NEWEST = 4
_COLUMNS = {"id": (), **SORTS}
# Words by their codes, which are in the order of the database's enums.
_WORDS = {name: list(words) for name, words in ENUMS.items()}
_STATUSES = list(ImageStatus)
_ROW = row_type(ImageRow)
_SHOWN = [field.name for field in fields(_ROW)]


class ProjectTable:
    """See the module. Every method may be called from any thread."""

    def __init__(self, base: pl.DataFrame, tail: pl.DataFrame, orders: dict[str, RowOrder]) -> None:
        self._base = base
        self._tail = tail
        self._orders = orders
        self._filtered: OrderedDict[tuple[str, ImageFilter], RowOrder] = OrderedDict()
        self._lock = threading.Lock()  # of the filtered orders
        self._frames_bytes = int(base.estimated_size() + tail.estimated_size())

    @classmethod
    def of(cls, frame: pl.DataFrame) -> ProjectTable:
        """The rows of ``frame``, which has the listed columns and comes sorted by id."""
        return cls(frame, frame.clear(), {"id": np.arange(len(frame), dtype=np.int32)})

    def __len__(self) -> int:
        return len(self._orders["id"])

    @property
    def n_bytes(self) -> int:
        """What the frame and the orders take."""
        with self._lock:
            orders = [*self._orders.values(), *self._filtered.values()]
        return self._frames_bytes + sum(order.nbytes for order in orders)

    def has_order(self, sort: str) -> bool:
        """Whether a page by this sort costs no sorting."""
        return sort in self._orders

    def order(self, sort: str) -> RowOrder:
        """Slots of all rows, ascending by the columns of the sort and the id, missing values last."""
        if (found := self._orders.get(sort)) is None:
            live = self._orders["id"]
            keys = self._gather(live, [*SORTS[sort], "id"])
            places = keys.select(pl.arg_sort_by(*SORTS[sort], "id", nulls_last=True)).to_series()
            found = self._orders[sort] = live[places.to_numpy()]
        return found

    def narrowed(self, sort: str, wanted: ImageFilter) -> RowOrder:
        """The same of the rows that pass a checked filter whose name is in the case of ``name_key``."""
        if wanted == ImageFilter():
            return self.order(sort)
        key = (sort, wanted)
        with self._lock:
            if key in self._filtered:
                self._filtered.move_to_end(key)
                return self._filtered[key]
        order = self.order(sort)
        found = order[self._mask(wanted)[order]]
        with self._lock:
            self._filtered[key] = found
            while len(self._filtered) > KEPT_FILTERS:
                self._filtered.popitem(last=False)
        return found

    def page(
        self, order: RowOrder, sort: Sort, limit: int, offset: int
    ) -> tuple[tuple[ImageRow, ...], KeyValues]:
        """The rows at ``offset`` and after of an order of this sort, and the keys of the last."""
        slots = self._window(order, sort, limit, offset)
        rows = self._gather(slots, _SHOWN).rows(named=True)
        for row in rows:
            for name, words in _WORDS.items():
                if (code := row[name]) is not None:
                    row[name] = words[code]
        last = self._keys(sort, slots[-1]) if len(slots) else ()
        return tuple(_ROW(**row) for row in rows), last

    def up_to(self, order: RowOrder, sort: Sort, keys: Sequence[Any]) -> int:
        """How many rows of an order of this sort come up to and with the one that has, or had, these keys."""
        *values, image_id = keys
        columns = SORTS[sort.name]
        values = [
            _WORDS[column].index(value) if column in _WORDS and value is not None else value
            for column, value in zip(columns, values, strict=True)
        ]
        key = (*map(_ranked, values), image_id)
        if not sort.descending:
            return bisect_right(order, key, key=partial(self._key, sort.name))
        lacking = sum(1 for _ in takewhile(lambda value: value is None, values))
        stops = [0, *self._parts(order, sort), *[len(order)] * len(values)]
        return stops[lacking] + stops[lacking + 1] - self._before(order, sort.name, key)

    def ids(self, order: RowOrder) -> list[str]:
        """The ids of an order's rows, ascending."""
        return self._gather(order, ["id"])["id"].to_list()

    def totals(self) -> dict[str, Any]:
        """How many images have each status, when the last was added, and the newest four: projects.totals."""
        counts = np.bincount(self._gather(self._orders["id"], ["status"])["status"], minlength=len(_STATUSES))
        newest = self._gather(self.order("created")[: -NEWEST - 1 : -1], ["id", "created_at"])
        return {
            **{status.value: int(count) for status, count in zip(_STATUSES, counts, strict=True)},
            "last_image_at": newest["created_at"][0] if len(newest) else None,
            "newest": newest["id"].to_list(),
        }

    def size(self) -> dict[str, int]:
        """How many images there are, and spheroids of results in force: results.size."""
        counted = pl.when(pl.col("version_id").is_not_null()).then(pl.col("n_objects")).fill_null(0)
        parts = [frame.select(counted)["n_objects"].to_numpy() for frame in (self._base, self._tail)]
        live = self._orders["id"]
        return {"images": len(live), "objects": int(np.concatenate(parts)[live].sum(dtype=np.int64))}

    def place(self, order: RowOrder, sort: Sort, image_id: str) -> int | None:
        """How many rows come before an image in an order of this sort; None where it is not in it."""
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
        """The id of the row at a place of an order of this sort; None beyond its ends."""
        if not 0 <= place < len(order):
            return None
        return self.ids(self._window(order, sort, 1, place))[0]

    def patched(self, ids: Sequence[str], fresh: pl.DataFrame) -> ProjectTable:
        """The same with the rows of ``ids`` replaced by those of ``fresh``, which lacks what is gone."""
        gone = [slot for slot in map(self._slot, ids) if slot is not None]
        first = len(self._base) + len(self._tail)
        tail = pl.concat([self._tail, fresh], rechunk=True)
        new = ProjectTable(self._base, tail, dict(self._orders))
        for sort, order in new._orders.items():
            new._orders[sort] = new._moved(order, sort, gone, range(first, first + len(fresh)))
        return new._folded() if len(tail) > TAIL_ROWS else new

    def _moved(self, order: RowOrder, sort: str, gone: Sequence[int], come: Sequence[int]) -> RowOrder:
        taken = [self._before(order, sort, self._key(sort, slot)) for slot in gone]
        kept = np.delete(order, taken)
        come = sorted(come, key=partial(self._key, sort))
        places = [self._before(kept, sort, self._key(sort, slot)) for slot in come]
        return np.insert(kept, places, np.asarray(come, np.int32)) if places else kept

    def _folded(self) -> ProjectTable:
        live = self._orders["id"]
        places = np.empty(len(self._base) + len(self._tail), np.int32)
        places[live] = np.arange(len(live), dtype=np.int32)
        base = pl.concat([self._base, self._tail], rechunk=True)[live]
        return ProjectTable(base, base.clear(), {sort: places[order] for sort, order in self._orders.items()})

    def _mask(self, wanted: ImageFilter) -> NDArray[np.bool_]:
        passed = pl.all_horizontal(*_conditions(wanted)).fill_null(False).alias("passed")
        parts = [frame.select(passed)["passed"].to_numpy() for frame in (self._base, self._tail)]
        return np.concatenate(parts)

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
        """Where the parts end: rows with every value of the sort, those that lack the first, and so on."""
        for place, column in enumerate(SORTS[sort.name]):
            if not any(frame.get_column(column).null_count() for frame in (self._base, self._tail)):
                break
            yield self._before(order, sort.name, ((_MISSING,),) * (place + 1))
        yield len(order)

    def _before(self, order: RowOrder, sort: str, key: RowKey) -> int:
        return bisect_left(order, key, key=partial(self._key, sort))

    def _key(self, sort: str, slot: int) -> RowKey:
        return (*(_ranked(self._value(column, slot)) for column in _COLUMNS[sort]), self._value("id", slot))

    def _value(self, column: str, slot: int) -> Any:
        n_base = len(self._base)
        if slot < n_base:
            return self._base.get_column(column)[int(slot)]
        return self._tail.get_column(column)[int(slot) - n_base]

    def _keys(self, sort: Sort, slot: int) -> KeyValues:
        columns = (*SORTS[sort.name], "id")
        values = ((column, self._value(column, slot)) for column in columns)
        return tuple(
            _WORDS[column][value].value if column in _WORDS and value is not None else plain(value)
            for column, value in values
        )

    def _slot(self, image_id: str) -> int | None:
        order = self._orders["id"]
        place = self._before(order, "id", (image_id,))
        if place < len(order) and self._value("id", order[place]) == image_id:
            return int(order[place])
        return None

    @cached_property
    def _base_shown(self) -> pl.DataFrame:
        return self._base.select(_SHOWN)  # takes as long as reading a page of it

    def _gather(self, slots: RowOrder, columns: Sequence[str] | None = None) -> pl.DataFrame:
        in_base = slots < len(self._base)
        base = self._base
        if columns is not None:
            base = self._base_shown if columns is _SHOWN else base.select(columns)
        if in_base.all():
            return base[slots]
        tail = self._tail if columns is None else self._tail.select(columns)
        found = pl.concat([base[slots[in_base]], tail[slots[~in_base] - len(base)]])
        places = np.empty(len(slots), np.int64)
        places[in_base] = np.arange(in_base.sum())
        places[~in_base] = np.arange(in_base.sum(), len(slots))
        return found[places]


_MISSING = 2


def _ranked(value: Any) -> tuple[Any, ...]:
    """``value`` so that Python compares it as the database does: NaN after numbers, nothing at all last."""
    if value is None:
        return (_MISSING,)
    return (0, value) if value == value else (1,)  # noqa: PLR0124 - NaN alone differs from itself


def _conditions(wanted: ImageFilter) -> Iterator[pl.Expr]:
    if wanted.status:
        yield pl.col("status").is_in([_STATUSES.index(status) for status in wanted.status])
    if wanted.name:
        yield pl.col("name_key").str.contains(wanted.name, literal=True)
    signs: tuple[tuple[str, Callable[[pl.Expr, Any], pl.Expr]], ...] = (
        ("least", pl.Expr.ge),
        ("most", pl.Expr.le),
    )
    for item in wanted.ranges:
        for name, sign in signs:
            if (bound := getattr(item, name)) is not None:
                value = bound if isinstance(bound, datetime) else float(bound)
                yield sign(pl.col(RANGES[item.column]), value)
