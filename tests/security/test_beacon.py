"""T8: in a real browser, no name that anybody can choose makes a page fetch what it should not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page

from core.accounts import Level, Role, Scope
from core.accounts.policy import PAGES
from core.models import ReviewState, Verdict
from core.services import Services
from core.settings import ROOT, Settings
from core.store import Batch, NewUpload
from core.store.results import Correction
from tests.browser.chromium import browser_tab, streamlit_server
from tests.factories import result
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
WATCHED = "Watched"  # a project, and the folder of an instrument
SETTLED_MS = 1500
MOST_OPENED = 4  # of one kind on a page


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


class Named:
    """An app where everything that people name is named by payloads."""

    def __init__(self, data: Path, address: str) -> None:
        self.services = Services.open(Settings(data=data, auth="local", container_memory_limit_mb=16_384))
        self.services.queue.drain(5)
        self.lab = Lab(self.services.store, self.services.blobs)
        self.names = [text.format(f"{address}/{number}")[:80] for number, text in enumerate(PAYLOADS)]
        access = self.services.access
        self.boss = access.accounts.create("boss", Role.ADMIN, access.passwords.hash(PASSWORD)).id

    def fill(self) -> dict[str, str]:
        """Fill it; return the ids of the project and the image that pages are opened with."""
        store, access = self.services.store, self.services.access
        self.lab.project(WATCHED)
        for name in self.names:
            project_id, image_id = self._project(name)
            store.saved_views.save(project_id, name[:60], [("name", name)], name)
            self.services.uploads.declare(project_id, Batch(name), [NewUpload(name, f"{name}.png", 9)])
            self.services.uploads.cancel(project_id, name)
            person = access.accounts.create(name, Role.MEMBER)
            access.members.set_level(project_id, person.id, Level.VIEW)
            access.members.add_link(project_id, name, 1)
            access.sessions.add_token(self.boss, name[:60], Scope.READ, 1)
            access.sign_in("boss", PASSWORD, "10.0.0.1", name)
            gone = store.projects.create(f"{name} deleted", "unet", owner=self.boss)
            store.projects.delete(gone.id, name)
        principal = access.by_name("boss")
        assert principal is not None
        self.services.for_caller(principal).store.projects.rename(project_id, f"{self.names[0]} again")
        self.services.close()
        return {"project": project_id, "image": image_id}

    def _project(self, name: str) -> tuple[str, str]:
        """A project with an image that was corrected, one that failed, and one in the trash."""
        store, project = self.services.store, self.lab.project(name)
        store.projects.set_pixel_size(project.id, 2.0)
        self.services.access.members.set_level(project.id, self.boss, Level.OWN)
        file = name.replace("{", "{{").replace("}", "}}")  # the lab formats it
        image = self.lab.measured(self.lab.image(project, f"{file}.png"), disc())
        correction = Correction(name, name, image.version_id, source=name)
        store.results.add_version(image.id, result(), correction, image.version_id)
        corrected = store.images.get(image.id).version_id
        self.services.reviews.judge(image.id, corrected, Verdict(ReviewState.UNSURE, name), name)
        self.lab.measured(self.lab.image(project, f"{file} 2.png"), disc())
        store.images.delete(project.id, [self.lab.image(project, f"{file} 3.png").id], name)
        return project.id, image.id


def watch(folder: Path, address: str) -> None:
    """Lay files with payloads for names, without a slash, into an instrument's folder."""
    (folder / WATCHED).mkdir(parents=True)
    escaped = "".join(f"%{ord(char):02x}" for char in address)
    for number, text in enumerate(
        (f"<img src=x onerror=\"fetch(unescape('{escaped}'))\">", "![x](a)", "[x](b)")
    ):
        file = folder / WATCHED / f"{number} {text}"[:200]
        file.with_name(f"{file.name}.png").write_bytes(b"no image")
        os.utime(file.with_name(f"{file.name}.png"), (1, 1))


def look_around(page: Page) -> None:
    """Open everything on a page that opens in place, one after the other, and the tabs."""
    page.locator("h1:visible, h3:visible").first.wait_for(timeout=60_000)
    page.wait_for_timeout(SETTLED_MS)
    for kind in ("[data-testid=stPopover] button", "[role=tab]", "[data-testid=stExpander] summary"):
        elements = page.locator(kind)
        for number in range(min(elements.count(), MOST_OPENED)):
            if elements.nth(number).is_visible():
                elements.nth(number).click(timeout=60_000)
                page.wait_for_timeout(300)
                page.keyboard.press("Escape")


@pytest.mark.browser
@pytest.mark.full
@pytest.mark.timeout(900)
def test_no_name_runs_on_any_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with beacon() as (address, hits):
        ids = Named(tmp_path / "data", address).fill()
        watch(tmp_path / "instruments", address)
        settings = {"SPHEROSCOPE_DATA": tmp_path / "data", "WATCHED_ROOT": tmp_path / "instruments"}
        for name, value in (settings | {"AUTH": "local"}).items():
            monkeypatch.setenv(name, str(value))
        with streamlit_server(ROOT / "app.py") as app, browser_tab() as tab:
            tab.page.goto(f"{app}/access/sign-in")
            tab.page.fill("#name", "boss")
            tab.page.fill("#password", PASSWORD)
            tab.page.click("button")
            for file in PAGES:
                name = file.removesuffix(".py")
                image = f"&image={ids['image']}" if name == "image" else ""
                tab.page.goto(f"{app}/{'' if name == 'projects' else name}?project={ids['project']}{image}")
                look_around(tab.page)
                tab.shot(f"beacon-{name}")
            tab.page.goto(f"{app}/?as=Table")
            look_around(tab.page)
            refused_are_listed(tab.page, app)
        assert hits == []


def refused_are_listed(page: Page, app: str) -> None:
    """The project of the watched folder says of each file there that it was refused, by its name."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        page.goto(f"{app}/images?project={WATCHED}")
        page.wait_for_timeout(3000)
        if page.get_by_text("3 refused").count():
            return
    pytest.fail("the watched folder was not looked at")


def test_the_beacon_is_seen_when_it_is_called() -> None:
    from urllib.request import urlopen  # noqa: PLC0415

    with beacon() as (address, hits):
        urlopen(f"{address}/x").close()
    assert hits == ["/hit/x"]
