"""What stands between the network and every route: which hosts, which methods, which headers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.http.answers import problem

Handler = Callable[[Request], Response]

METHODS = ("GET", "HEAD")
PREFIXES = ("/api", "/thumbs", "/views", "/downloads", "/metrics")
# Content is data, never a page: it may not be guessed to be one, run scripts, or be embedded by other sites.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OWN_PATHS = tuple(f"{prefix}/" for prefix in PREFIXES)
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


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


class HostGuard:
    """Refuses requests, of pages and websockets too, whose Host is not one that the app is known by.

    A foreign site can point its own name at this computer and would then count as the same origin (DNS
    rebinding). It cannot do so with an IP address, so those always pass.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._allows(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send)
            return
        response = problem(
            400,
            "host_refused",
            "Spheroscope is not known by the name in this address. Use its IP address, or have the name "
            "added to the setting ALLOWED_HOSTS.",
        )
        await response(scope, receive, send)

    def _allows(self, hosts: list[str]) -> bool:
        if "*" in self._allowed:
            return True
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            return False
        name = (match[1] or match[2]).lower()
        return name in self._allowed or _is_address(name)


class OwnHeaders:
    """Puts the security headers on every answer of our own routes, errors and redirects among them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        ours = scope["type"] == "http" and f"{scope['path']}/".startswith(_OWN_PATHS)
        await self._app(scope, receive, with_headers if ours else send)


def allowed_names(setting: str) -> frozenset[str]:
    """The names of ALLOWED_HOSTS, which parts them by commas."""
    return frozenset(name.strip().lower() for name in setting.split(",") if name.strip())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
