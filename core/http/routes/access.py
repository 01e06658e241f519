"""/access: signing in and out, choosing a password by a link, opening a project's link."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import anyio
import anyio.to_thread
from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.accounts import Access, AccessMode, SignedIn
from core.accounts.streamlit_login import login_address
from core.errors import SignInRefused, SpheroscopeError, TooManyAttempts
from core.http.errors import problem
from core.http.middleware.access import address_of, cookies_of, is_encrypted, session_cookies
from core.services import Services

log = logging.getLogger(__name__)

MAX_BYTES = 4096  # of a form
PASSWORDS_AT_ONCE = 4  # looked at, or waiting to be; the other routes keep their threads
DEVICE_COOKIE, YEAR_S = "spheroscope_device", 365 * 24 * 3600
PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent.parent / "templates"), autoescape=True)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "username"
    value: str = ""


PASSWORD = Field("password", "Password", "password", "current-password")
NEW_PASSWORD = Field("password", "New password", "password", "new-password")
AGAIN = Field("again", "Repeat the password", "password", "new-password")


def routes(services: Callable[[], Services]) -> list[Route]:
    """Return the routes; with AUTH=none there is nothing at their addresses."""
    pages = AccessPages(services)
    methods = ["GET", "POST"]
    return [
        Route("/access/sign-in", pages.sign_in, methods=methods),
        Route("/access/sign-out", pages.sign_out, methods=methods),
        Route("/access/password/{link}", pages.password, methods=methods),
        Route("/access/shared/{link}", pages.shared, methods=methods),
        Route("/access/{rest:any}", _not_found),
    ]


class AccessPages:
    """The pages of /access."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services
        self._limiter: anyio.CapacityLimiter | None = None

    async def sign_in(self, request: Request) -> Response:
        """Ask for name and password, and begin a session."""
        access = self._services().access
        if access.rules.mode is AccessMode.LOCAL:
            return await self._sign_in_here(access, request)
        if access.rules.mode is AccessMode.OIDC and request.method == "GET":
            sentence = "Your organisation's sign-in opens, and brings you back here."
            return _page("Sign in", sentence, button="Continue", address=login_address())
        if access.rules.mode is AccessMode.PROXY:
            return _page(
                "Not signed in",
                "Open Spheroscope at the address of your lab's proxy, which signs you in.",
                401,
            )
        return await _not_found(request)

    async def _sign_in_here(self, access: Access, request: Request) -> Response:
        fields = [Field("name", "Name"), PASSWORD]
        if request.method == "GET":
            return _page("Sign in", fields=fields, button="Sign in")
        form = await _form(request)
        browser = request.headers.get("user-agent", "")
        device = cookies_of(request.headers).get(DEVICE_COOKIE, "")
        credentials = form.get("name", ""), form.get("password", "")
        try:
            signed_in = await self._in_thread(
                access.sign_in, *credentials, address_of(access, request.scope), browser, device
            )
        except SpheroscopeError as error:
            fields = [Field("name", "Name", value=credentials[0][:80]), PASSWORD]
            return _page("Sign in", fields=fields, button="Sign in", error=error)
        return _signed_in_redirect(
            access, request, signed_in, _own_path(request.query_params.get("next", "/"))
        )

    async def sign_out(self, request: Request) -> Response:
        """End the session, and have the browser forget what it kept."""
        access, principal = self._services().access, request.state.principal
        if not access.rules.enabled:
            return await _not_found(request)
        if request.method == "GET":
            return _page("Sign out", "Other browsers stay signed in.", button="Sign out")
        if principal is not None:
            await self._in_thread(access.sign_out, principal)
        target = "/auth/logout" if access.rules.mode is AccessMode.OIDC else "/access/sign-in"
        response = RedirectResponse(target, 303, {"Clear-Site-Data": '"cache", "storage"'})
        for name in session_cookies():
            response.delete_cookie(name, secure=name.startswith("__Host-"), httponly=True, samesite="lax")
        return response

    async def password(self, request: Request) -> Response:
        """Let whoever has a link choose a password; the first admin's link makes the account, too."""
        access, link = self._services().access, request.path_params["link"]
        if access.rules.mode is not AccessMode.LOCAL:
            return await _not_found(request)
        try:
            name = await self._in_thread(access.name_of_link, link)
        except SignInRefused as error:
            return _page("This link cannot be used", error=error)
        form = await _form(request) if request.method == "POST" else {}
        own = (
            []
            if name
            else [Field("name", "Your name, with which you sign in", value=form.get("name", "")[:80])]
        )
        fields = [*own, NEW_PASSWORD, AGAIN]
        title = f"Choose a password, {name}" if name else "Become the first admin"
        sentence = "At least 12 characters: a few words that do not belong together are easy to keep."
        if request.method == "GET":
            return _page(title, sentence, fields=fields, button="Save and sign in")
        try:
            if form.get("password") != form.get("again"):
                raise SignInRefused("The two passwords are not the same.")
            client = address_of(access, request.scope), request.headers.get("user-agent", "")
            credentials = form.get("name", ""), form.get("password", "")
            signed_in = await self._in_thread(access.choose_password, link, *credentials, *client)
        except SpheroscopeError as error:
            return _page(title, sentence, fields=fields, button="Save and sign in", error=error)
        return _signed_in_redirect(access, request, signed_in, "/")

    async def shared(self, request: Request) -> Response:
        """Open a project by its link, after one press of a button: previews of links must not use it."""
        access, link = self._services().access, request.path_params["link"]
        if not access.rules.enabled:
            return await _not_found(request)
        if request.method == "GET":
            return _page(
                "A project was shared with you", "You can look at it, not change it.", button="Open it"
            )
        client = address_of(access, request.scope), request.headers.get("user-agent", "")
        try:
            cookie, project_id = await self._in_thread(access.open_link, link, *client)
        except SignInRefused as error:
            return _page("This link cannot be used", error=error)
        response = RedirectResponse(f"/images?project={project_id}", 303)
        _set_session_cookie(access, request, response, cookie)
        return response

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(PASSWORDS_AT_ONCE)
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self._limiter)


def announce_first_admin(access: Access, port: str) -> None:
    """Print the link by which the first admin is made, where there is none yet."""
    if (link := access.first_admin_link()) is not None:
        base = access.rules.public_url or f"http://127.0.0.1:{port}"
        print(f"\nNobody can sign in yet. Become the first admin here, once, within 48 hours:\n{base}"
              f"/access/password/{link}\n", flush=True)  # fmt: skip


async def _not_found(_request: Request) -> Response:
    return problem(404, "not_found", "There is nothing at this address.")


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BYTES:
            return {}
    try:
        parsed = parse_qs(body.decode(), max_num_fields=8)
    except ValueError:
        return {}
    return {name: values[0] for name, values in parsed.items()}


def _own_path(text: str) -> str:
    """Return an address within the app, never one of another site."""
    is_own = (
        text.startswith("/")
        and not text.startswith(("//", "/\\"))
        and text.isprintable()
        and "\\" not in text
    )
    return text if is_own and not text.startswith("/access/") else "/"


def _signed_in_redirect(access: Access, request: Request, signed_in: SignedIn, target: str) -> Response:
    response = RedirectResponse(target, 303)
    _set_session_cookie(access, request, response, signed_in.session)
    secure = is_encrypted(access, request.scope)
    response.set_cookie(
        DEVICE_COOKIE,
        signed_in.device,
        max_age=YEAR_S,
        path="/access",
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    return response


def _set_session_cookie(access: Access, request: Request, response: Response, cookie: str) -> None:
    secure = is_encrypted(access, request.scope)
    behind_tls, plain = session_cookies()
    response.set_cookie(behind_tls if secure else plain, cookie, httponly=True, samesite="lax", secure=secure)


def _page(
    title: str,
    sentence: str = "",
    status: int = 200,
    *,
    error: SpheroscopeError | None = None,
    **parts: Any,
) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    if error is not None:
        status = 429 if isinstance(error, TooManyAttempts) else 400
        if isinstance(error, TooManyAttempts):
            headers["Retry-After"] = str(int(error.seconds) + 1)
    nonce = secrets.token_urlsafe(12)
    headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    )
    message = error.message if error else ""
    text = PAGES.get_template("access.html").render(
        title=title, sentence=sentence, error=message, nonce=nonce, **parts
    )
    return Response(text, status, headers, media_type="text/html")
