"""Sorts and filters of lists of images, checked, and as SQL. ``image_columns`` says which there are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.errors import InvalidRequest
from core.listing import keyset
from core.listing.image_table import RANGES, SORT_TYPES, SORTS, TIMES
from core.listing.keyset import SortKey
from core.models import Finding, ImageFilter
from core.models.quality import LOOK_BELOW

DEFAULT_SORT = "-created"
# As the statement projects.totals counts them.
_FINDINGS = {
    Finding.LOOK_AT_THIS: "confidence < $look_below",
    Finding.NOTHING_FOUND: "n_objects = 0",
    Finding.SEVERAL_FOUND: "n_objects > 1",
    Finding.OWN_SETTINGS: "own_settings",
}


@dataclass(frozen=True, slots=True)
class Sort:
    """A name of SORTS and a direction."""

    name: str
    descending: bool

    @classmethod
    def parse(cls, text: str) -> Sort:
        """Parse ``name``, or ``-name`` for descending.

        Raises:
            InvalidRequest: there is no such sort.
        """
        name = text.removeprefix("-")
        if name not in SORTS:
            raise InvalidRequest(f"Images cannot be sorted by “{text}”. Known: {', '.join(SORTS)}.")
        return cls(name, text.startswith("-"))

    def order_by(self) -> str:
        """The order as SQL, over the listed columns."""
        return keyset.order_by(self.keys())

    def keys(self) -> tuple[SortKey, ...]:
        """Keys that decide the order."""
        columns = [SortKey(name, SORT_TYPES.get(name, float), self.descending) for name in SORTS[self.name]]
        return (*columns, SortKey("id", str, self.descending))


def checked(conditions: ImageFilter) -> ImageFilter:
    """Return the filter without conditions that hold for every image.

    Raises:
        InvalidRequest: a range names no column of RANGES, or a bound is not of the column's type.
    """
    for item in conditions.ranges:
        if item.column not in RANGES:
            raise InvalidRequest(f"There is no range of “{item.column}”. Known: {', '.join(RANGES)}.")
        for bound in (item.minimum, item.maximum):
            if bound is not None and not _fits(item.column, bound):
                expected = "a time" if item.column in TIMES else "a number"
                raise InvalidRequest(f"A bound of {item.column} must be {expected}.")
    ranges = tuple(item for item in conditions.ranges if item.minimum is not None or item.maximum is not None)
    return replace(conditions, name=conditions.name or None, ranges=ranges)


def where(conditions: ImageFilter) -> tuple[str, dict[str, Any]]:
    """Return SQL conditions of a checked filter, each after an AND, and the values that they bind."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    if conditions.status:
        parts.append("AND list_contains($status::VARCHAR[], status::VARCHAR)")
        values["status"] = [status.value for status in conditions.status]
    if conditions.name:
        parts.append("AND contains(name_key, lower($name))")
        values["name"] = conditions.name
    if conditions.findings:
        parts.append(f"AND ({' OR '.join(_FINDINGS[item] for item in conditions.findings)})")
        values |= {"look_below": LOOK_BELOW} if Finding.LOOK_AT_THIS in conditions.findings else {}
    if conditions.review:
        parts.append("AND list_contains($review::VARCHAR[], review::VARCHAR)")
        values["review"] = [state.value for state in conditions.review]
    for place, item in enumerate(conditions.ranges):
        for sign, word, bound in ((">=", "minimum", item.minimum), ("<=", "maximum", item.maximum)):
            if bound is not None:
                parts.append(f"AND {RANGES[item.column]} {sign} ${word}_{place}")
                values[f"{word}_{place}"] = bound if isinstance(bound, datetime) else float(bound)
    return " ".join(parts), values


def _fits(column: str, bound: float | datetime) -> bool:
    if isinstance(bound, datetime):
        return column in TIMES and bound.tzinfo is None  # stored times are UTC without a zone
    return column not in TIMES and math.isfinite(bound)
