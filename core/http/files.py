"""Answers from files with Range requests (RFC 9110), so that a download can be resumed."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from core.http.errors import problem

STALLED_SECONDS = 60.0  # without a byte taken, after which a client counts as gone
_RANGE = re.compile(r"bytes=((?:\d+-\d*|-\d+)(?:\s*,\s*(?:\d+-\d*|-\d+))*)", re.ASCII | re.IGNORECASE)
_MAX_DIGITS = 18


class FileAnswer(FileResponse):
    """A file's bytes, or the requested part of them: 206, several parts, 416, If-Range, HEAD.

    Beyond Starlette's: a malformed Range is ignored, ranges behind the end are left out of several, and a
    client that takes nothing is given up. ``tag`` has to be another one whenever the bytes are. The answer is
    never compressed: a part requested later by the same tag would be of other bytes.
    """

    # Each piece is read in another thread, which has to wait for its turn beside those that segment.
    chunk_size = 256 * 1024

    def __init__(self, path: Path, tag: str, kind: str, headers: dict[str, str]) -> None:
        fixed = {"ETag": f'"{tag}"', "Content-Encoding": "identity"}
        # Taken here, so that a file which is swept meanwhile is a 404 and no broken answer.
        super().__init__(path, headers=headers | fixed, media_type=kind, stat_result=path.stat())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.stat_result is not None
        scope, unmet = _without_useless_ranges(scope, self.stat_result.st_size)
        if unmet and self._range_applies(Headers(scope=scope).get("if-range")):
            size = {"Content-Range": f"bytes */{self.stat_result.st_size}"}
            await problem(416, "range_not_satisfiable", "The file is shorter than that.", size)(
                scope, receive, send
            )
            return
        await super().__call__(scope, receive, with_deadline(send))

    def _range_applies(self, if_range: str | None) -> bool:
        return if_range is None or if_range in (self.headers["etag"], self.headers["last-modified"])


def with_deadline(send: Send) -> Send:
    """Return a ``send`` that gives up on a client which takes nothing: it would hold a file for ever."""

    async def sent(message: Message) -> None:
        with anyio.fail_after(STALLED_SECONDS):
            await send(message)

    return sent


def _without_useless_ranges(scope: Scope, size: int) -> tuple[Scope, bool]:
    """Return the request with its satisfiable ranges alone, and whether it had ranges but none of those.

    A malformed Range is left out: the whole is sent (RFC 9110, 14.2).
    """
    headers = MutableHeaders(raw=list(scope["headers"]))
    header = headers.get("range")
    if header is None:
        return scope, False
    del headers["range"]
    match = _RANGE.fullmatch(header.strip())
    parts = [part.strip() for part in match[1].split(",")] if match else []
    if any(not _is_well_formed(part) for part in parts):
        parts = []
    satisfiable = [part for part in parts if _is_satisfiable(part, size)]
    if satisfiable:
        headers["range"] = "bytes=" + ",".join(satisfiable)
    return {**scope, "headers": headers.raw}, bool(parts) and not satisfiable


def _is_well_formed(part: str) -> bool:
    first, last = part.split("-")
    if max(len(first), len(last)) > _MAX_DIGITS:
        return False
    return not (first and last) or int(first) <= int(last)


def _is_satisfiable(part: str, size: int) -> bool:
    first, last = part.split("-")
    return int(first) < size if first else int(last) > 0
