"""The access guard: every request, of pages, WebSockets, uploads, media and routes alike, passes it first."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlsplit

import anyio
import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.accounts import LOCAL, Access, AccessMode, Principal
from core.accounts.rules import is_loopback
from core.accounts.streamlit_login import signed_in_user
from core.http.errors import problem
from core.http.middleware.headers import PREFIXES
from core.services import CALLER_HEADER, Services

READING = frozenset({"GET", "HEAD"})
AT_ONCE = 8  # requests whose sessions are looked up
SIGN_IN = "/access/sign-in"
# What nobody has to sign in for. The sign-in pages check links and passwords themselves.
OPEN = frozenset({"/_stcore/health", "/api/health"})
OPEN_PREFIXES = ("/access/",)
OIDC_PATHS = frozenset({"/auth/login", "/auth/logout", "/oauth2callback"})
# Parts of Streamlit's server that no page uses.
CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")
ENDED = 4401  # a WebSocket's close code of our own: the session has ended


class AccessGuard:
    """Finds out who is there, and lets through only those who may come in.

    Routes find the principal in the request's state; pages by a header that only this can set. With AUTH=none
    everybody is ``LOCAL``, and only requests to this computer's own addresses pass.
    """

    def __init__(self, app: ASGIApp, services: Callable[[], Services]) -> None:
        self._app = app
        self._services = services
        self._limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        access = self._services().access
        state = scope.setdefault("state", {})
        if not access.rules.enabled:
            state["principal"] = LOCAL
            refusal = None if _is_local(scope) else _not_local()
            await (refusal or self._app)(scope, receive, send)
            return
        principal = await self._principal(access, scope)
        state["principal"] = principal
        _set_caller_header(scope, principal)
        refusal = _refusal(access, scope, principal)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["type"] == "websocket" and principal is not None:
            await self._watch_session(access, principal, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _principal(self, access: Access, scope: Scope) -> Principal | None:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(AT_ONCE)
        return await anyio.to_thread.run_sync(identify, access, scope, limiter=self._limiter)

    async def _watch_session(
        self, access: Access, principal: Principal, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass a WebSocket on, and close it at the first message after its session has ended."""

        async def checked() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            if await anyio.to_thread.run_sync(access.principal, principal.key, limiter=self._limiter):
                return message
            await send({"type": "websocket.close", "code": ENDED})
            return {"type": "websocket.disconnect", "code": ENDED}

        await self._app(scope, checked, send)


def identify(access: Access, scope: Scope) -> Principal | None:
    """Return who a request is from; None is nobody."""
    headers, peer = Headers(scope=scope), address_of(access, scope)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and scope["type"] == "http":
        return access.by_token(token.strip(), peer)
    if access.rules.mode is AccessMode.PROXY:
        named = headers.getlist(access.rules.user_header)
        trusted = access.rules.trusts(_peer(scope))
        return access.by_name(named[0], peer) if trusted and len(named) == 1 else None
    cookies = cookies_of(headers)
    if access.rules.mode is AccessMode.OIDC and (name := signed_in_user(cookies)):
        return access.by_name(name, peer)
    cookie = next((cookies[name] for name in session_cookies() if name in cookies), "")
    return access.by_cookie(cookie, peer) if cookie else None


def address_of(access: Access, scope: Scope) -> str:
    """Return the address that a request came from: of the proxy's client where the proxy is named."""
    peer = _peer(scope)
    if access.rules.trusts(peer):
        forwarded = Headers(scope=scope).getlist("x-forwarded-for")
        last = forwarded[-1].rpartition(",")[2].strip() if forwarded else ""
        return last[:60] or peer
    return peer


def is_encrypted(access: Access, scope: Scope) -> bool:
    """Whether browsers reach the app by TLS, here or at the proxy."""
    if access.rules.public_url:
        return access.rules.public_url.startswith("https://")
    forwarded = Headers(scope=scope).get("x-forwarded-proto", "") if access.rules.trusts(_peer(scope)) else ""
    return scope.get("scheme") in ("https", "wss") or forwarded == "https"


def session_cookies() -> tuple[str, str]:
    """Names of the session's cookie: behind TLS, and without."""
    return "__Host-spheroscope_session", "spheroscope_session"


def cookies_of(headers: Headers) -> dict[str, str]:
    """Return the cookies of a request by name."""
    try:
        return {name: item.value for name, item in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def same_origin(scope: Scope) -> bool:
    """Whether a changing request comes from our own pages, or from no browser at all.

    Browsers say so in Sec-Fetch-Site, older ones in Origin; other sites can set neither.
    """
    headers = Headers(scope=scope)
    if site := headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _refusal(access: Access, scope: Scope, principal: Principal | None) -> Response | None:
    path, method = scope["path"], scope.get("method", "GET")
    if path.startswith(CLOSED):
        return problem(404, "not_found", "There is nothing at this address.")
    by_token = "authorization" in Headers(scope=scope)
    if method not in READING and not by_token and not same_origin(scope):
        return problem(403, "not_allowed", "This request was made by another site, and is not answered.")
    oidc = access.rules.mode is AccessMode.OIDC and path in OIDC_PATHS
    if oidc or path in OPEN or path.startswith(OPEN_PREFIXES):
        return None
    if principal is None:
        return _sign_in_first(scope)
    if principal.key.startswith("token:") and not f"{path}/".startswith(_OWN_PATHS):
        return problem(403, "not_allowed", "A token is for the routes of docs/http_api.md, not for pages.")
    return None


_OWN_PATHS = tuple(f"{prefix}/" for prefix in PREFIXES)


def _sign_in_first(scope: Scope) -> Response:
    accepted = Headers(scope=scope).get("accept", "")
    is_own = f"{scope['path']}/".startswith(_OWN_PATHS)
    if scope["type"] == "http" and scope["method"] in READING and "text/html" in accepted and not is_own:
        target = scope["path"] + (f"?{query}" if (query := scope["query_string"].decode("latin-1")) else "")
        return RedirectResponse(
            f"{SIGN_IN}?next={quote(target, safe='')}", 303, {"Cache-Control": "no-store"}
        )
    return problem(
        401, "not_signed_in", "Sign in first, or send an API token.", {"WWW-Authenticate": "Bearer"}
    )


def _set_caller_header(scope: Scope, principal: Principal | None) -> None:
    headers = MutableHeaders(scope=scope)
    del headers[CALLER_HEADER]
    if principal is not None:
        headers[CALLER_HEADER] = principal.key


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _is_local(scope: Scope) -> bool:
    server = scope.get("server")
    address = server[0] if server else None
    if not address or not (":" in address or address.replace(".", "").isdigit()):
        return True  # a name, which only tests have here
    return is_loopback(address)


def _not_local() -> Response:
    return problem(
        403,
        "not_allowed",
        "This Spheroscope serves the computer that it runs on. To use it from others, start it with "
        "AUTH=local: see docs/access.md.",
    )
