"""Injects preload hints into Streamlit's index page.

Without them the browser first looks for its server under the page's own address, loads the modules of each
widget only when the first run of the script needs them, and the table's program, which is by far the largest,
last of all.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.http.middleware.headers import PREFIXES

# Widgets of the pages, as Streamlit names their modules; of others the browser gets no hint.
WIDGETS = (
    *("Html", "TextInput", "Selectbox", "BidiComponent", "ComponentInstance", "LinkButton"),
    *("FileUploader", "Checkbox", "ButtonGroup", "DateInput", "Multiselect", "Button"),
)
TABLE = "component/st_aggrid.AgGrid.agGrid/static/js"
FOR_EVER = "public, max-age=31536000, immutable"  # their names change with what they hold
_IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*["'`]\./([\w.-]+\.js)["'`]""")
_HASHED = re.compile(r"/component/.+/static/.+\.[0-9a-f]{8}\.\w+")
_NO_PAGE = ("/_stcore", "/static/", "/component/", "/media/", *PREFIXES)
_SERVER = '<script>window.__streamlit = {BACKEND_BASE_URL: new URL(".", location.href).href};</script>'


class Entrance:
    """Adds hints to the page that Streamlit serves, and lets browsers keep the table's program."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._hints = hints()
        self._table_is_there = False  # Streamlit knows of it once a page has drawn it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif _HASHED.fullmatch(scope["path"]):
            await self._app(scope, receive, self._kept(send))
        elif scope["path"].startswith(_NO_PAGE):
            await self._app(scope, receive, send)
        else:
            hints = [*self._hints, *(table_hints() if self._table_is_there else ())]
            await self._app(_anew(scope), receive, _Page(send, "\n".join(hints).encode()))

    def _kept(self, send: Send) -> Send:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self._table_is_there = True
                MutableHeaders(scope=message)["Cache-Control"] = FOR_EVER
            await send(message)

        return sent


class _Page:
    """Holds back an HTML page until it is complete, and sends it with the hints."""

    def __init__(self, send: Send, hints: bytes) -> None:
        self._send = send
        self._hints = hints
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(b"</head>", self._hints + b"</head>", 1)
        headers = MutableHeaders(scope=start)
        headers["Content-Length"] = str(len(body))
        for name in ("ETag", "Last-Modified"):  # of the file, which is not what is sent
            del headers[name]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def hints() -> list[str]:
    """The lines that are added to the page's head."""
    modules = [f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in _modules()]
    return [_SERVER, *modules]


def table_hints() -> list[str]:
    """The lines for the table's program."""
    folder = _folder("st_aggrid") / "frontend" / "build" / "static" / "js"
    return [
        f'<link rel="prefetch" as="script" href="./{TABLE}/{file.name}">' for file in folder.glob("main.*.js")
    ]


def _modules() -> list[str]:
    """Files of the widgets, and of what they import that the page does not name itself."""
    folder = _folder("streamlit") / "static"
    scripts, page = folder / "static" / "js", (folder / "index.html").read_text(encoding="utf-8")
    found: dict[str, None] = {}
    waiting = [path.name for widget in WIDGETS for path in scripts.glob(f"{widget}.*.js")]
    while waiting:
        name = waiting.pop()
        if name in found or name in page or not (scripts / name).is_file():
            continue
        found[name] = None
        waiting += _IMPORTED.findall((scripts / name).read_text(encoding="utf-8"))
    return list(found)


def _folder(package: str) -> Path:
    # Without importing it: it would be loaded before its time.
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(scope=message)
    kind = headers.get("content-type", "")
    return message["status"] == 200 and kind.startswith("text/html") and "content-encoding" not in headers


def _anew(scope: Scope) -> Scope:
    """The request without what would be answered by “not modified”, or compressed."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    for name in ("if-none-match", "if-modified-since", "accept-encoding"):
        if name in headers:
            del headers[name]
    return {**scope, "headers": headers.raw}
