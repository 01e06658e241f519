"""T8: in a real browser, no name of a project, a file or a person makes a page fetch what it should not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.accounts import Level, Role, Scope
from core.services import Services
from core.settings import Settings
from tests.browser.app import app_server
from tests.browser.chromium import browser_tab
from tests.http.lab import Lab, disc

PASSWORD = "seven quiet spheroids"
PAYLOADS = (
    '<img src="{0}">',
    "<script>fetch('{0}')</script>",
    '"><svg onload="fetch(\'{0}\')">',
    "![x]({0})",
    "[x](javascript:fetch('{0}'))",
    "{{{{constructor.constructor('fetch(1)')()}}}}",
    "<style>@import '{0}'</style>",
    "'-fetch('{0}')-'",
    "<iframe src={0}></iframe>",
    "$\\href{{{0}}}{{x}}$ :material/bolt: <b>",
)
PAGES = (
    "",
    "images",
    "image",
    "measurements",
    "queue",
    "trash",
    "performance",
    "throughput",
    "health",
    "settings",
)
ABOUT_ACCESS = ("people", "audit", "account")


@contextmanager
def beacon() -> Iterator[tuple[str, list[str]]]:
    """A server that lists what is asked of it."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hit", hits
    finally:
        server.shutdown()
        server.server_close()


def fill(data: Path, address: str) -> str:
    """Fill a data folder with names that would call ``address``; return a project's id."""
    services = Services.open(Settings(data=data, auth="local", container_memory_limit_mb=16_384))
    services.queue.drain(5)
    lab, access = Lab(services.store, services.blobs), services.access
    boss = access.accounts.create("boss", Role.ADMIN, access.passwords.hash(PASSWORD))
    project = None
    for number, payload in enumerate(PAYLOADS):
        name = payload.format(f"{address}/{number}")[:80]
        project = lab.project(name)
        access.members.set_level(project.id, boss.id, Level.OWN)
        file_name = f"{name}.png".replace("{", "{{").replace("}", "}}")  # the lab formats it
        lab.measured(lab.image(project, file_name), disc())
        access.accounts.create(name, Role.MEMBER)
        access.sessions.add_token(boss.id, name[:60], Scope.READ, 1)
    services.close()
    assert project is not None
    return project.id


@pytest.mark.browser
@pytest.mark.full
def test_no_name_runs_on_any_page(tmp_path: Path) -> None:
    with beacon() as (address, hits):
        project_id = fill(tmp_path / "data", address)
        with app_server(tmp_path / "data", AUTH="local") as app, browser_tab() as tab:
            tab.page.goto(f"{app}/access/sign-in")
            tab.page.fill("#name", "boss")
            tab.page.fill("#password", PASSWORD)
            tab.page.click("button")
            for page in (*PAGES, *ABOUT_ACCESS):
                tab.page.goto(f"{app}/{page}?project={project_id}")
                tab.page.wait_for_selector("h1, h3", timeout=60_000)
                tab.page.wait_for_timeout(1500)
                tab.shot(f"beacon-{page or 'projects'}")
        assert hits == []


def test_the_beacon_is_seen_when_it_is_called() -> None:
    from urllib.request import urlopen  # noqa: PLC0415

    with beacon() as (address, hits):
        urlopen(f"{address}/x").close()
    assert hits == ["/hit/x"]
