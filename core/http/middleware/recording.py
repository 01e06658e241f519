"""Records every request: template of its route, status, duration, bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.monitoring import Kind, Recorder

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PAGES = "(pages)"  # what is below Streamlit's catch-all: the pages and their files
UNROUTED = "(refused)"  # what never came to a route
LOOP_SECONDS = 0.5
FAULT = "500"
LEFT = "499"  # the client went away before there was an answer: nginx's number for it


class Recording:
    """Records requests by the templates of their routes: addresses may have a user's words in them."""

    def __init__(self, app: ASGIApp, recorder: Callable[[], Recorder]) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, sent = LEFT, 0

        async def counting(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = str(message["status"])
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        start = time.perf_counter()
        try:
            await self._app(scope, receive, counting)
        except Exception:  # the answer to it is made further out
            status = FAULT
            raise
        finally:
            ms = (time.perf_counter() - start) * 1000
            self._recorder().record(Kind.REQUEST, name_of(scope), ms, status, sent)


def name_of(scope: Scope) -> str:
    """“GET /api/images/{id}”: of the program's own words only, so that their number is bounded."""
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    route = scope.get("route")
    template = UNROUTED if route is None else getattr(route, "path", "")
    return f"{method} {PAGES if template in ('', '/') or '{path' in template else template}"


async def watch_loop(recorder: Recorder) -> None:
    """Record for ever how late the event loop is: whoever blocks it makes every page and answer wait."""
    loop = asyncio.get_running_loop()
    while True:
        start = loop.time()
        await asyncio.sleep(LOOP_SECONDS)
        late_ms = (loop.time() - start - LOOP_SECONDS) * 1000
        recorder.record(Kind.LOOP, "event loop", max(0.0, late_ms))
