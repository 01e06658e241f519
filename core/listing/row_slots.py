"""Rows of a table by slot numbers, so that a few of them can be replaced without copying all.

The rows of ``base`` have the first slots, those of the small ``tail`` the next ones. A replaced row gets a
new slot in the tail, and its old slot is no longer used. Copying all 200,000 rows at every commit instead
makes pages under four writers 200 times slower (docs/decisions/0023-the-page-index-is-patched.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Slots = NDArray[np.int32]


class RowSlots:
    """Two frames with the same columns, read as one. Never changed, so readers need no lock."""

    def __init__(self, base: pl.DataFrame, tail: pl.DataFrame, page_columns: Sequence[str]) -> None:
        """``page_columns`` are selected here, once: that takes as long as reading a page."""
        self._base = base
        self._tail = tail
        self._page_columns = page_columns
        self._base_page = base.select(page_columns)
        self.n_bytes = int(base.estimated_size() + tail.estimated_size())

    @classmethod
    def of(cls, frame: pl.DataFrame, page_columns: Sequence[str]) -> RowSlots:
        """The rows of ``frame``, whose slots are their positions."""
        return cls(frame, frame.clear(), page_columns)

    def __len__(self) -> int:
        """Number of slots, used or not."""
        return len(self._base) + len(self._tail)

    @property
    def n_tail(self) -> int:
        """Number of slots in the tail."""
        return len(self._tail)

    def appended(self, rows: pl.DataFrame) -> RowSlots:
        """Return the same with ``rows`` in new slots at the end; this copies the tail only."""
        tail = pl.concat([self._tail, rows], rechunk=True)
        return RowSlots(self._base, tail, self._page_columns)

    def compacted(self, used: Slots) -> RowSlots:
        """Return the rows of the slots ``used``, in that order, all in a new base."""
        return RowSlots.of(pl.concat([self._base, self._tail], rechunk=True)[used], self._page_columns)

    def value(self, column: str, slot: int) -> Any:
        """One value."""
        n_base = len(self._base)
        if slot < n_base:
            return self._base.get_column(column)[int(slot)]
        return self._tail.get_column(column)[int(slot) - n_base]

    def has_nulls(self, column: str) -> bool:
        """Whether any slot, used or not, lacks a value of the column."""
        return any(frame.get_column(column).null_count() for frame in (self._base, self._tail))

    def evaluate(self, expression: pl.Expr) -> NDArray[Any]:
        """Return the expression's value for every slot, used or not."""
        return np.concatenate([frame.select(expression).to_series().to_numpy() for frame in self._frames()])

    def page(self, slots: Slots) -> pl.DataFrame:
        """The page's columns of ``slots``, in their order."""
        return self._gather(slots, self._base_page, self._page_columns)

    def columns(self, slots: Slots, names: Sequence[str]) -> pl.DataFrame:
        """The columns ``names`` of ``slots``, in their order."""
        return self._gather(slots, self._base.select(names), names)

    def _frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        return self._base, self._tail

    def _gather(self, slots: Slots, base: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        in_base = slots < len(base)
        if in_base.all():
            return base[slots]
        tail = self._tail.select(names)
        rows = pl.concat([base[slots[in_base]], tail[slots[~in_base] - len(base)]])
        positions = np.empty(len(slots), np.int64)
        positions[in_base] = np.arange(in_base.sum())
        positions[~in_base] = np.arange(in_base.sum(), len(slots))
        return rows[positions]
