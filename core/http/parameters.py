"""What is read from a URL's query; everything that cannot be is refused in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request

from core.errors import InvalidRequest
from core.listing import object_table
from core.listing.image_table import RANGES
from core.models import ImageFilter, ImageStatus, Range
from core.store.objects import ObjectFilter

DEFAULT_LIMIT = 50
MAX_NAME = 200
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)  # int() would also take "1_0", " 5" and other scripts' digits
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    _DATE.pattern + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII
)
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class PageWindow:
    """Which rows of a longer list are asked for."""

    limit: int
    offset: int

    def described(self, total: int) -> dict[str, object]:
        """The ``pagination`` of an answer."""
        return {
            "limit": self.limit,
            "offset": self.offset,
            "page": self.offset // self.limit + 1,
            "totalPages": -(-total // self.limit),
            "hasMore": self.offset + self.limit < total,
        }


def window(request: Request, most: int) -> PageWindow:
    """``limit`` and ``offset``, or ``limit`` and ``page`` counted from 1.

    Raises:
        InvalidRequest: one of them is out of its range, or both offset and page are given.
    """
    query = request.query_params
    limit = _whole(query, "limit", min(DEFAULT_LIMIT, most), 1, most)
    if "page" not in query:
        return PageWindow(limit, _whole(query, "offset", 0, 0))
    if "offset" in query:
        raise InvalidRequest("Give either offset or page, not both.")
    return PageWindow(limit, (_whole(query, "page", 1, 1) - 1) * limit)


def image_filter(request: Request) -> ImageFilter:
    """``status`` (several with commas between), ``name``, times of adding and bounds of measured numbers.

    Raises:
        InvalidRequest: one of them cannot be what was given.
    """
    wanted = [part for part in request.query_params.get("status", "").split(",") if part]
    status = tuple(dict.fromkeys(_member(ImageStatus, "status", part) for part in wanted))
    bounds = [
        _times(request.query_params, column) if column == "created" else _range(request.query_params, column)
        for column in RANGES
    ]
    return ImageFilter(status, name(request), tuple(item for item in bounds if item))


def name(request: Request) -> str | None:
    """``name``: a part of one, in any case.

    Raises:
        InvalidRequest: it is too long to be a name's part.
    """
    text = request.query_params.get("name") or None
    if text is not None and len(text) > MAX_NAME:
        raise InvalidRequest(f"name may have {MAX_NAME} characters.")
    return text


def object_filter(request: Request) -> ObjectFilter:
    """``name`` of the image, ``touches_border`` (0 or 1) and bounds of every measured number.

    Raises:
        InvalidRequest: one of them cannot be what was given.
    """
    text = request.query_params.get("touches_border") or None
    border = None if text is None else switch(request, "touches_border")
    bounds = (_range(request.query_params, column) for column in object_table.RANGES)
    return ObjectFilter(name(request), border, tuple(item for item in bounds if item))


def fields(request: Request, known: Sequence[str]) -> tuple[str, ...] | None:
    """``fields``: names with commas between; None where it is not given.

    Raises:
        InvalidRequest: one of them is not ``known``.
    """
    text = request.query_params.get("fields", "")
    wanted = tuple(dict.fromkeys(part for part in text.split(",") if part))
    for item in wanted:
        if item not in known:
            raise InvalidRequest(f"There is no field “{item[:40]}”. Known: {', '.join(known)}.")
    return wanted or None


def choice(request: Request, name: str, kind: type[E]) -> E | None:
    """One of the values of ``kind``, or None where it is not given.

    Raises:
        InvalidRequest: it is none of them.
    """
    text = request.query_params.get(name, "")
    return _member(kind, name, text) if text else None


def switch(request: Request, name: str) -> bool:
    """``1`` or ``0``; off where it is not given.

    Raises:
        InvalidRequest: it is neither.
    """
    text = request.query_params.get(name, "0")
    if text not in ("0", "1"):
        raise InvalidRequest(f"{name} must be 0 or 1.")
    return text == "1"


def whole(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most``.

    Raises:
        InvalidRequest: it is none.
    """
    return _whole(request.query_params, name, default, least, most)


def _range(query: Mapping[str, str], column: str) -> Range | None:
    least, most = (_number(query, f"{column}_{end}") for end in ("min", "max"))
    if least is not None and most is not None and least > most:
        raise InvalidRequest(f"{column}_min is greater than {column}_max.")
    return None if least is None and most is None else Range(column, least, most)


def _times(query: Mapping[str, str], column: str) -> Range | None:
    since, until = (_time(query, f"{column}_{end}") for end in ("from", "to"))
    if since is not None and until is not None and since > until:
        raise InvalidRequest(f"{column}_from is later than {column}_to.")
    return None if since is None and until is None else Range(column, since, until)


def _time(query: Mapping[str, str], name: str) -> datetime | None:
    """A date or time as stored, in UTC without a zone. A date that something goes up to counts to its end."""
    text = query.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            end = time.max if name.endswith("_to") else time.min
            return datetime.combine(date.fromisoformat(text), end)
        if not _TIME.fullmatch(text):
            raise ValueError
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError):
        said = "a date or a time such as 2026-11-02 or 2026-11-02T09:30:00Z"
        raise InvalidRequest(f"{name} must be {said}.") from None


def _number(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name)
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text) or not math.isfinite(float(text)):
        raise InvalidRequest(f"{name} must be a number, such as 200 or 0.85.")
    return float(text)


def _whole(query: Mapping[str, str], name: str, default: int, least: int, most: int = 999_999_999) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise InvalidRequest(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def _member(kind: type[E], name: str, text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(item.value for item in kind)
        raise InvalidRequest(f"{name} cannot be “{text[:40]}”. Known: {known}.") from None
