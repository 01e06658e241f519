"""Security headers on every answer of our own routes."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What the addresses of our own routes begin with; all others belong to the pages.
PREFIXES = ("/api", "/thumbs", "/views", "/downloads", "/metrics")
# Content is data, never a page: it may not be guessed to be one, run scripts, or be embedded by other sites.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The page that shows the OpenAPI document runs a program of our own, and asks our own addresses.
DOCUMENTATION = "/api/docs"
DOCUMENTATION_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
)
_OWN_PATHS = tuple(f"{prefix}/" for prefix in PREFIXES)


class OwnHeaders:
    """Puts the security headers on every answer of our own routes, errors and redirects among them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
                if scope["path"] == DOCUMENTATION:
                    headers["Content-Security-Policy"] = DOCUMENTATION_POLICY
            await send(message)

        ours = scope["type"] == "http" and f"{scope['path']}/".startswith(_OWN_PATHS)
        await self._app(scope, receive, with_headers if ours else send)
