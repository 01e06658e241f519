"""Which methods the routes take."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.http.answers import problem

Handler = Callable[[Request], Response]

METHODS = ("GET", "HEAD")


class ReadOnly:
    """A handler as an application of its own, run in a thread, for GET and HEAD.

    ``Route(methods=...)`` would not do: the router passes other methods on to the pages' catch-all.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in METHODS:
            response = await run_in_threadpool(self._handler, Request(scope, receive))
        else:
            message = "This address can only be read. Change things on the pages."
            response = problem(405, "method_not_allowed", message, {"Allow": ", ".join(METHODS)})
        await response(scope, receive, send)
