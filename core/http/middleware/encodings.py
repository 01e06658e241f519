"""Gives compressed answers ETags of their own, and switches compression off."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MARK = "-gzip"
_MARKED = re.compile(rf'{MARK}"')


class EncodedTags:
    """Gives the ETag of a compressed answer a mark of its own, and takes it off what clients send back.

    Compression is done between this and the routes, which so need not know of it. A client that resumes with
    the tag of compressed bytes gets the whole, not a part of other bytes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = MutableHeaders(scope=scope)
        known = headers.get("if-none-match", "")
        marked = MARK in known
        if marked:
            headers["if-none-match"] = _MARKED.sub('"', known)

        async def with_mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(MutableHeaders(scope=message), message["status"] == 304 and marked)
            await send(message)

        await self._app(scope, receive, with_mark)


class Uncompressed:
    """Switches compression off: whatever compresses further in finds that no client accepts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            del MutableHeaders(scope=scope)["accept-encoding"]
        await self._app(scope, receive, send)


def _mark(headers: MutableHeaders, known_compressed: bool) -> None:
    tag = headers.get("etag")
    if tag and (known_compressed or headers.get("content-encoding") == "gzip"):
        headers["etag"] = tag.removesuffix('"') + MARK + '"'
