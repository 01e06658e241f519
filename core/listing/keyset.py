"""Walks through a list: what of it lies behind a row, told by that row's keys, be it there still or not.

A list is ordered by keys, the last of which no two rows share. Rows that lack a key come last, whichever way
it goes. Keys travel in cursors, so they are what JSON can say, and nothing that comes back is trusted.
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
    """One column that decides the order: its name in the rows, of what kind it is, the way, and its SQL."""

    name: str
    kind: type
    descending: bool = False
    expression: str = ""

    @property
    def sql(self) -> str:
        return self.expression or self.name


def order_by(keys: Sequence[SortKey]) -> str:
    """The ORDER BY of a list."""
    return ", ".join(f"{key.sql} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key in keys)


def keys_of(keys: Sequence[SortKey], row: Mapping[str, Any]) -> KeyValues:
    """The keys of a row, as JSON can say them."""
    return tuple(plain(row[key.name]) for key in keys)


def plain(value: Any) -> Plain:
    """A key as JSON can say it."""
    said: Plain = value.isoformat() if isinstance(value, datetime) else value
    return said


def behind(keys: Sequence[SortKey], after: KeyValues | None) -> tuple[str, dict[str, Any]]:
    """The condition that a row lies behind the one with the keys ``after``, and the values that it binds.

    Every row does where that is None.

    Raises:
        InvalidRequest: they cannot be keys of this order.
    """
    if after is None:
        return "true", {}
    values = read(keys, after)
    bound = {f"key_{place}": value for place, value in enumerate(values) if value is not None}
    ways, same = [], "true"
    for place, (key, value) in enumerate(zip(keys, values, strict=True)):
        told = f"${f'key_{place}'}::{_TYPES[key.kind]}"
        if value is None:  # nothing comes behind it but by the next keys
            same += f" AND {key.sql} IS NULL"
            continue
        sign = "<" if key.descending else ">"
        ways.append(f"({same} AND ({key.sql} {sign} {told} OR {key.sql} IS NULL))")
        same += f" AND {key.sql} = {told}"
    return f"({' OR '.join(ways)})", bound


def read(keys: Sequence[SortKey], after: KeyValues) -> tuple[Any, ...]:
    """What JSON said, as the keys are in rows.

    Raises:
        InvalidRequest: they cannot be keys of this order.
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
