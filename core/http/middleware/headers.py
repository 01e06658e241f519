"""Security headers on every answer of our own routes."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What the addresses of our own routes begin with; all others belong to the pages.
PREFIXES = ("/api", "/thumbs", "/views", "/downloads", "/metrics")
ACCESS = "/access/"  # forms for signing in, which send a policy of their own
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
# The pages run Streamlit's program and the tables', which make functions of text; none of other sites.
PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; "
        "frame-ancestors 'self'"
    ),
}
_OWN_PATHS = tuple(f"{prefix}/" for prefix in PREFIXES)


class OwnHeaders:
    """Puts the security headers on every answer of our own routes, errors and redirects among them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own_policy = headers.get("Content-Security-Policy") if access else None
                headers.update(HEADERS)
                if own_policy:
                    headers["Content-Security-Policy"] = own_policy
                headers.setdefault("Cache-Control", "no-store")
                if scope["path"] == DOCUMENTATION:
                    headers["Content-Security-Policy"] = DOCUMENTATION_POLICY
            await send(message)

        access = scope["type"] == "http" and scope["path"].startswith(ACCESS)
        is_own = access or (scope["type"] == "http" and f"{scope['path']}/".startswith(_OWN_PATHS))
        await self._app(scope, receive, with_headers if is_own else send)


class PageHeaders:
    """Puts security headers on the pages and their files, where people sign in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in PAGE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
