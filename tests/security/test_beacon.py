"""T8: in a real browser, no name that anybody can choose runs, or makes a page fetch what it should not.

What a name would fetch has the app's own address, as the pages' policy lets them ask no other; and what it
would call is a function of the browser's, which is there in every frame.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Request

from core.accounts import Level, Role, Scope
from core.accounts.passwords import Passwords
from core.accounts.policy import PAGES
from core.models import Project, ReviewState, Verdict
from core.services import Services
from core.settings import Settings
from core.store import NewUpload, UploadBatch
from core.store.results import Correction
from tests.browser.app import app_server
from tests.browser.chromium import Tab, browser_tab
from tests.factories import result
from tests.http.lab import Lab, disc
from tests.polling import wait_until
from tests.security.conftest import CHEAP, PASSWORD

NAMES = (
    "<img src=/hit/0>",
    "<img src=/hit/1 onerror=beacon(1)>",
    '"><svg onload="beacon(2)">',
    "<script>beacon(3)</script>",
    "![x](/hit/4)",
    "[x](javascript:beacon(5))",
    "{{constructor.constructor('beacon(6)')()}}",
    "<style>@import '/hit/7'</style>",
    "'-beacon(8)-' ${beacon(8)}",
    "<iframe src=/hit/9></iframe> $\\href{/hit/9}{x}$ :material/bolt:",
)
SEEN_AS_MARKUP = {"/hit/0", "/hit/1", "beacon(1)", "beacon(2)", "beacon(3)", "/hit/7", "/hit/9"}
NAMELESS = {"performance.py", "throughput.py", "health.py", "help.py"}  # pages on which there is no name
WATCHED = "Watched"  # a project, and the folder of an instrument
IN_FOLDER = ("<img src=x onerror=beacon(10)>", "![x](a)", "[x](b)")  # names of files, so without a slash
LOADED_MS = 60_000
MOST_OPENED = 6  # of one kind on a page
OPENED_IN_PLACE = ("[data-testid=stPopover] button", "[role=tab]", "[data-testid=stExpander] summary")
DIALOGS = re.compile(r"Export|Share|Rename|Delete|How good|Correct|Calibrate|New project|Add")


@dataclass
class Beacon:
    """What names did in a browser: calls of ``beacon``, and requests for addresses below /hit."""

    seen: set[str] = field(default_factory=set)

    def watch(self, context: BrowserContext) -> None:
        context.expose_binding("beacon", lambda _source, number: self.seen.add(f"beacon({number})"))
        context.on("request", self._request)

    def _request(self, request: Request) -> None:
        path = urlsplit(request.url).path
        if path.startswith("/hit/"):
            self.seen.add(path)


class Ids(NamedTuple):
    """What pages are opened with."""

    projects: list[str]
    images: list[str]  # of the last project


class NamedApp:
    """A data folder where everything that people name has one of NAMES."""

    def __init__(self, data: Path) -> None:
        self._services = Services.open(Settings(data=data, auth="local", container_memory_limit_mb=16_384))
        self._services.queue.drain(5)
        self._lab = Lab(self._services.store, self._services.blobs)
        access = self._services.access
        access.passwords = Passwords(CHEAP)
        self._admin = access.accounts.create("boss", Role.ADMIN, access.passwords.hash(PASSWORD)).id

    def fill(self) -> Ids:
        """Fill it and close it; return the ids of its projects and of the images of the last one."""
        store, access = self._services.store, self._services.access
        self._lab.project(WATCHED)
        projects = []
        for name in NAMES:
            project_id = self._project(name)
            projects.append(project_id)
            store.saved_views.save(project_id, name[:60], [("name", name)], name)
            self._services.uploads.declare(project_id, UploadBatch(name), [NewUpload(name, f"{name}.png", 9)])
            self._services.uploads.cancel(project_id, name)
            person = access.accounts.create(name, Role.MEMBER)
            access.members.set_level(project_id, person.id, Level.VIEW)
            access.members.add_link(project_id, name, 1)
            access.sessions.add_token(self._admin, name[:60], Scope.READ, 1)
            access.sign_in("boss", PASSWORD, "10.0.0.1", name)
            deleted = store.projects.create(f"{name} deleted", "unet", owner=self._admin)
            store.projects.delete(deleted.id, name)
        for name in NAMES[:-1]:
            self._corrected(store.projects.get(project_id), name)
        images = store.images.ids(project_id)
        principal = access.by_name("boss")
        assert principal is not None
        renamed = f"{NAMES[1]} {NAMES[4]}"  # so that the audit has names, too
        self._services.for_caller(principal).store.projects.rename(project_id, renamed)
        self._services.close()
        return Ids(projects, list(images))

    def _project(self, name: str) -> str:
        """A project with an image that was corrected, one in a folder, and one in the trash."""
        project = self._lab.project(name)
        self._services.store.projects.set_pixel_size(project.id, 2.0)
        self._services.access.members.set_level(project.id, self._admin, Level.OWN)
        self._corrected(project, name)
        self._lab.measured(self._lab.image(project, f"{name}/{name} 2.png"), disc())
        deleted = self._lab.image(project, f"{name} 3.png")
        self._services.store.images.delete(project.id, [deleted.id], name)
        return project.id

    def _corrected(self, project: Project, name: str) -> None:
        """Add an image whose outlines somebody has corrected and is unsure of."""
        store = self._services.store
        image = self._lab.measured(self._lab.image(project, f"{name}.png"), disc())
        correction = Correction(name, name, image.version_id, source=name)
        store.results.add_version(image.id, result(), correction, image.version_id)
        corrected = store.images.get(image.id).version_id
        self._services.reviews.judge(image.id, corrected, Verdict(ReviewState.UNSURE, name), name)


def watch_folder(root: Path) -> None:
    """Lay files that are no images into an instrument's folder."""
    (root / WATCHED).mkdir(parents=True)
    for name in IN_FOLDER:
        file = root / WATCHED / f"{name}.png"
        file.write_bytes(b"no image")
        os.utime(file, (1, 1))  # complete for long


@contextmanager
def signed_in(address: str) -> Iterator[tuple[Tab, Beacon]]:
    """A browser in which the admin has signed in, and what is seen in it."""
    beacon = Beacon()
    with browser_tab() as tab:
        beacon.watch(tab.page.context)
        tab.page.goto(f"{address}/access/sign-in")
        tab.page.fill("#name", "boss")
        tab.page.fill("#password", PASSWORD)
        tab.page.click("button")
        tab.page.wait_for_url(lambda url: "sign-in" not in url)
        yield tab, beacon


def open_page(page: Page, address: str, file: str) -> None:
    """Open a page and wait until it has been drawn, with the names that are to be on it."""
    page.goto(address)
    page.locator("h1:visible, h2:visible, h3:visible").first.wait_for(timeout=LOADED_MS)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for(timeout=LOADED_MS)
    if file not in NAMELESS:
        wait_until(lambda: page.wait_for_timeout(100) or has_name(page), LOADED_MS / 1000, f"names on {file}")


def has_name(page: Page) -> bool:
    """Whether a name is read in the page itself, besides its sidebar, or in a table."""
    parts = [page.locator(".stMain"), *(frame.locator("body") for frame in page.frames[1:])]
    text = "".join(part.text_content() or "" for part in parts if part.count())
    return "/hit/" in text or "beacon(" in text


def links_that_run(page: Page) -> list[str]:
    """Addresses of links and frames that are programs."""
    script = (
        "all => all.map(one => one.href || one.src || '').filter(one => /^(javascript|data:text)/i.test(one))"
    )
    return [item for frame in page.frames for item in frame.locator("a, iframe").evaluate_all(script)]


def open_everything(page: Page) -> None:
    """Open all that opens in place, one after the other, then the dialogs."""
    for kind in OPENED_IN_PLACE:
        for element in page.locator(f".stMain {kind}").all()[:MOST_OPENED]:
            _press(page, element)
        page.keyboard.press("Escape")
    for button in page.locator(".stMain button").filter(has_text=DIALOGS).all()[:MOST_OPENED]:
        _press(page, button)
        page.keyboard.press("Escape")


def _press(page: Page, element: Locator) -> None:
    if element.count() and element.is_visible():
        element.dispatch_event("click")
        page.wait_for_timeout(400)


@pytest.fixture
def ids(tmp_path: Path) -> Ids:
    """The ids of an app full of names."""
    named = NamedApp(tmp_path / "data").fill()
    watch_folder(tmp_path / "instruments")
    return named


@pytest.fixture
def app(tmp_path: Path, ids: Ids) -> Iterator[str]:
    """The address of that app."""
    with app_server(tmp_path / "data", AUTH="local", WATCHED_ROOT=str(tmp_path / "instruments")) as address:
        yield address


def addresses(ids: Ids) -> Iterator[tuple[str, str]]:
    """Every page by its file, and its address."""
    for file in PAGES:
        image = f"&image={ids.images[0]}" if file == "image.py" else ""
        name = "" if file == "projects.py" else file.removesuffix(".py")
        yield file, f"{name}?project={ids.projects[-1]}{image}"


def more_addresses(ids: Ids) -> Iterator[tuple[str, str]]:
    """The pages of what was not opened yet: each project's images, and each image."""
    yield "projects.py", "?as=Table"
    for project_id in ids.projects[:-1]:
        yield "images.py", f"images?project={project_id}"
    for image_id in ids.images[1:]:
        yield "image.py", f"image?image={image_id}"


@pytest.mark.browser
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "everything", [False, pytest.param(True, marks=pytest.mark.full)], ids=["pages", "all that opens"]
)
def test_no_name_runs_on_any_page(app: str, ids: Ids, everything: bool) -> None:
    with signed_in(app) as (tab, beacon):
        for file, address in (*addresses(ids), *(more_addresses(ids) if everything else ())):
            open_page(tab.page, f"{app}/{address}", file)
            if everything:
                open_everything(tab.page)
            assert links_that_run(tab.page) == [], address
            assert beacon.seen == set(), address
        if everything:
            refused_are_listed(tab.page, app)
        assert beacon.seen == set()
        markup_is_seen(tab.page, beacon)


def refused_are_listed(page: Page, app: str) -> None:
    """The project of the watched folder says of each file there that it was refused, by its name."""

    def listed() -> bool:
        page.goto(f"{app}/images?project={WATCHED}")
        page.locator("h1:visible").first.wait_for(timeout=LOADED_MS)
        page.wait_for_timeout(2000)
        return page.get_by_text(IN_FOLDER[0]).count() > 0

    wait_until(listed, 120, "the watched folder to be looked at")


def markup_is_seen(page: Page, beacon: Beacon) -> None:
    """The same names, written as markup into a page of the app, are seen: the test is not blind."""
    names = "</svg><p>".join(NAMES)  # none stands within another's element
    page.evaluate("names => {document.open(); document.write(names); document.close()}", names)
    wait_until(
        lambda: page.wait_for_timeout(100) or beacon.seen >= SEEN_AS_MARKUP, 30, "what runs to be seen"
    )
