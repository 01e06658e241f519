"""Keyset pagination: the rows of an ordered list that come after given keys.

A list is ordered by sort keys, of which the last is unique. Rows without a value come last in both
directions. The row that the keys were taken from need not exist any more. Keys travel in cursors, so they are
JSON values, and those that come back are checked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.errors import InvalidRequest
from core.models import ImageStatus, JobState, Priority

Plain = str | int | float | bool | None
KeyValues = tuple[Plain, ...]

_TYPES: Mapping[type, str] = {
    str: "VARCHAR",
    float: "DOUBLE",
    int: "BIGINT",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
    ImageStatus: "image_status",
    JobState: "job_state",
    Priority: "job_priority",
}


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of a sort order: key in rows, Python type, direction, SQL (the key by default)."""

    name: str
    kind: type
    descending: bool = False
    expression: str = ""

    @property
    def sql(self) -> str:
        return self.expression or self.name


def order_by(keys: Sequence[SortKey]) -> str:
    """Return the ORDER BY terms of a list."""
    return ", ".join(f"{key.sql} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key in keys)


def keys_of(keys: Sequence[SortKey], row: Mapping[str, Any]) -> KeyValues:
    """Return the sort keys of a row as JSON values."""
    return tuple(plain(row[key.name]) for key in keys)


def plain(value: Any) -> Plain:
    """Return a key as a JSON value."""
    json_value: Plain = value.isoformat() if isinstance(value, datetime) else value
    return json_value


def rows_after(keys: Sequence[SortKey], after: KeyValues | None) -> tuple[str, dict[str, Any]]:
    """Return the SQL condition that a row comes after the keys ``after``, and the values that it binds.

    Without keys the condition holds for every row.

    Raises:
        InvalidRequest: the keys do not fit this order.
    """
    if after is None:
        return "true", {}
    values = parse_keys(keys, after)
    bound = {f"key_{index}": value for index, value in enumerate(values) if value is not None}
    alternatives, equal = [], "true"
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        bind = f"$key_{index}::{_TYPES[key.kind]}"
        if value is None:  # rows without a value come last: only the keys that follow decide
            equal += f" AND {key.sql} IS NULL"
            continue
        sign = "<" if key.descending else ">"
        alternatives.append(f"({equal} AND ({key.sql} {sign} {bind} OR {key.sql} IS NULL))")
        equal += f" AND {key.sql} = {bind}"
    return f"({' OR '.join(alternatives)})", bound


def parse_keys(keys: Sequence[SortKey], after: KeyValues) -> tuple[Any, ...]:
    """Return keys from JSON as the values that rows have, checked against the types of the order.

    Raises:
        InvalidRequest: the keys do not fit this order.
    """
    try:
        if after[-1] is None:
            raise ValueError("the last key is never missing")
        return tuple(_read(key.kind, value) for key, value in zip(keys, after, strict=True))
    except (ValueError, TypeError, IndexError, OverflowError):
        raise InvalidRequest("This cursor is of a list in another order. Begin again without one.") from None


def _read(kind: type, value: Plain) -> Any:
    if value is None:
        return None
    if issubclass(kind, StrEnum) and isinstance(value, str):
        return kind(value).value
    if kind is datetime and isinstance(value, str):
        time = datetime.fromisoformat(value)
        if time.tzinfo is None:
            return time
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number):
            return number
    if kind is int and type(value) is int and abs(value) < 2**63:
        return value
    if kind in (str, bool) and type(value) is kind:
        return value
    raise ValueError("not of its kind")
