"""Parts of lists: which one is requested, the cursor of the next one, the fields of its rows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from starlette.requests import Request

from core.errors import InvalidRequest
from core.http.ordered import position_of
from core.http.schemas.queries import ListQuery
from core.listing.keyset import KeyValues
from core.models import Page

T = TypeVar("T")
Row = dict[str, Any]

DEFAULT_LIMIT = 50
NOT_FILTERS = ("limit", "offset", "page", "sort", "cursor", "fields")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a part of a list ended, as text that only this module reads.

    ``last`` are the keys of the last row given, its id at least, and ``offset`` how many were: a list goes on
    behind those keys, whatever has become of the row.
    """

    sort: str
    last: KeyValues
    offset: int
    list: str  # a digest of the address and of what narrows it

    def text(self) -> str:
        """Return the text that a client gets."""
        data = json.dumps([self.sort, self.last, self.offset, self.list], separators=(",", ":"))
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read what a client sends back.

        Raises:
            InvalidRequest: it is not what a client got.
        """
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            sort, last, offset, about = json.loads(data)
            json.dumps([sort, last], ensure_ascii=False).encode()  # half a character is no text
        except (ValueError, TypeError, binascii.Error, RecursionError):
            raise InvalidRequest("This cursor was not given by any list. Begin again without one.") from None
        texts = isinstance(sort, str) and isinstance(about, str)
        if not texts or type(offset) is not int or not 0 <= offset < 10**9 or not _are_keys(last):
            raise InvalidRequest("This cursor was not given by any list. Begin again without one.")
        return cls(sort, tuple(last), offset, about)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """One request for a part of a list; ``list`` is a digest of its address and of what narrows it."""

    limit: int
    offset: int
    sort: str
    fields: tuple[str, ...]
    cursor: Cursor | None
    list: str

    @classmethod
    def of(cls, request: Request, query: ListQuery, max_limit: int) -> ListRequest:
        """Return the part that ``query`` names, by its cursor where there is one.

        Raises:
            InvalidRequest: ``limit`` is too large, two of offset, page and cursor are given, or the cursor is
                of another list.
        """
        limit = query.limit or min(DEFAULT_LIMIT, max_limit)
        if limit > max_limit:
            raise InvalidRequest(f"limit must be a whole number from 1 to {max_limit}.")
        given = query.model_fields_set & {"offset", "page", "cursor"}
        if len(given) > 1:
            raise InvalidRequest(f"Give either {' or '.join(sorted(given))}, not both.")
        digest = _digest(request)
        if "cursor" not in given:
            offset = (query.page - 1) * limit if "page" in given else query.offset
            return cls(limit, offset, query.sort, query.fields, None, digest)
        cursor = Cursor.read(query.cursor)
        other_sort = "sort" in query.model_fields_set and query.sort != cursor.sort
        if cursor.list != digest or other_sort:
            raise InvalidRequest("This cursor is of a list that is sorted or narrowed otherwise.")
        return cls(limit, cursor.offset, cursor.sort, query.fields, cursor, digest)

    @property
    def after(self) -> KeyValues | None:
        """The keys that the list goes on behind; None without a cursor."""
        return self.cursor.last if self.cursor else None

    def after_cursor(self, ids: Iterable[str]) -> ListRequest:
        """Return the same for a list in memory: behind the cursor's row, wherever that is among ``ids``."""
        offset = position_of(self.cursor.last[0], ids) if self.cursor else None
        return self if offset is None else replace(self, offset=offset)

    def part(self, items: Sequence[T]) -> Page[T]:
        """Return the part of a list that is in memory."""
        rows = tuple(items[self.offset : self.offset + self.limit])
        return Page(rows, len(items), self.offset, self.limit)

    def answer(self, name: str, page: Page[T], to_row: Callable[[T], Row]) -> Row:
        """Return the rows under ``name``, how many there are in all, and the cursor of the next part."""
        rows = [to_row(item) for item in page.items]
        after = page.offset + len(rows)
        has_more = bool(rows) and after < page.total
        last = page.last or (str(rows[-1]["id"]),) if has_more else ()
        return {
            name: [{"id": row["id"], **{field: row[field] for field in self.fields}} for row in rows]
            if self.fields
            else rows,
            "total": page.total,
            "pagination": {
                "limit": page.limit,
                "offset": page.offset,
                "page": page.offset // page.limit + 1,
                "totalPages": -(-page.total // page.limit),
                "hasMore": page.offset + page.limit < page.total,
            },
            "next": Cursor(self.sort, last, after, self.list).text() if has_more else None,
        }


def _are_keys(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(item is None or isinstance(item, str | int | float) for item in value)
    )


def _digest(request: Request) -> str:
    filters = sorted(item for item in request.query_params.items() if item[0] not in NOT_FILTERS and item[1])
    text = json.dumps([request.url.path, filters])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
