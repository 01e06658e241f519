"""What every list has in common: its window, its order, where it goes on, the fields that are wanted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from core.errors import InvalidRequest
from core.http import parameters
from core.http.ordered import place_of
from core.http.parameters import PageWindow
from core.listing.keyset import KeyValues
from core.models import Page

T = TypeVar("T")
Form = dict[str, object]

NOT_NARROWING = ("limit", "offset", "page", "sort", "cursor", "fields")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a walk through a list has got to, as text that means something to us alone.

    ``last`` are the keys of the last row given, its id at least, and ``offset`` how many were: a list goes on
    behind those keys, whatever has become of the row.
    """

    sort: str
    last: KeyValues
    offset: int
    list: str  # a digest of the address and of what narrows it

    def text(self) -> str:
        """As a client gets it."""
        data = json.dumps([self.sort, self.last, self.offset, self.list], separators=(",", ":"))
        return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor:
        """What a client sends back.

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
class Ask:
    """One request for a part of a list."""

    window: PageWindow
    sort: str
    fields: tuple[str, ...] | None
    cursor: Cursor | None
    list: str

    @classmethod
    def of(cls, request: Request, most: int, default_sort: str, fields: Sequence[str]) -> Ask:
        """Read ``limit`` with ``offset``, ``page`` or ``cursor``, then ``sort`` and ``fields``.

        Raises:
            InvalidRequest: one of them cannot be, two contradict, or the cursor is of another list.
        """
        query = request.query_params
        about = _digest(request)
        chosen = parameters.fields(request, fields)
        if "cursor" not in query:
            window = parameters.window(request, most)
            return cls(window, query.get("sort") or default_sort, chosen, None, about)
        if {"offset", "page"} & query.keys():
            raise InvalidRequest("Give a cursor, an offset or a page, not two of them.")
        cursor = Cursor.read(query["cursor"])
        if cursor.list != about or query.get("sort", cursor.sort) != cursor.sort:
            raise InvalidRequest("This cursor is of a list that is sorted or narrowed otherwise.")
        window = PageWindow(parameters.window(request, most).limit, cursor.offset)
        return cls(window, cursor.sort, chosen, cursor, about)

    @property
    def after(self) -> KeyValues | None:
        """The keys that the list goes on behind; None where it was not asked by cursor."""
        return self.cursor.last if self.cursor else None

    def found(self, ids: Iterable[str]) -> Ask:
        """The same for a list in memory: behind the cursor's row, wherever that is among ``ids``."""
        offset = place_of(self.cursor.last[0], ids) if self.cursor else None
        if offset is None:
            return self
        return Ask(PageWindow(self.window.limit, offset), self.sort, self.fields, self.cursor, self.list)

    def answer(self, name: str, page: Page[T], form: Callable[[T], Form]) -> Form:
        """The rows under ``name`` with how many there are in all and where the list goes on."""
        rows = [form(item) for item in page.items]
        after = page.offset + len(rows)
        more = bool(rows) and after < page.total
        last = page.last or (str(rows[-1]["id"]),) if more else ()
        return {
            name: [picked(row, self.fields) for row in rows],
            "total": page.total,
            "pagination": PageWindow(page.limit, page.offset).described(page.total),
            "next": Cursor(self.sort, last, after, self.list).text() if more else None,
        }


def picked(row: Form, fields: Iterable[str] | None) -> Form:
    """Of a row, its id and the fields that are wanted; all where None is said."""
    return row if fields is None else {"id": row["id"], **{name: row[name] for name in fields}}


def part(items: Sequence[T], window: PageWindow) -> Page[T]:
    """The window's part of a list that is in memory."""
    shown = tuple(items[window.offset : window.offset + window.limit])
    return Page(shown, len(items), window.offset, window.limit)


def _are_keys(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(item is None or isinstance(item, str | int | float) for item in value)
    )


def _digest(request: Request) -> str:
    query: Mapping[str, str] = request.query_params
    narrowing = sorted(item for item in query.items() if item[0] not in NOT_NARROWING and item[1])
    text = json.dumps([request.url.path, narrowing])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
