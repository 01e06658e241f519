"""Visitors whose browser is refreshed or closed amid an upload or while images are segmented (F16)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from core.services import Services
from core.settings import Settings
from tests import corpus
from tests.browser.chromium import browser_tab
from tests.faults import oracle
from tests.faults.test_app import START_SECONDS, STOP_SECONDS, App, app
from tests.polling import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FULL = pytest.mark.full
FILES = 3
SIDE = 1600
LONG_MS = 120_000  # also on a busy machine
LOOK_SECONDS, LOOKS = 0.5, 10  # what a script still stores shows within five seconds
IMAGES = re.compile(r"/api/projects/[^/]+/images(\?|$)")  # where files are sent, and tables are read


@pytest.fixture
def served(tmp_path: Path) -> Iterator[App]:
    """The app on a folder with one project, Plate."""
    services = Services.open(Settings(data=tmp_path / "data"))
    services.create_project("Plate")
    services.close()
    with app(tmp_path / "data") as running:
        wait_until(running.is_up, START_SECONDS, "the app")
        yield running


class Visit:
    """One visitor with files to upload that nobody else has."""

    def __init__(self, served: App, page: Page, number: int) -> None:
        self.served, self.page = served, page
        self.files = [
            {"name": f"{number} {index}.tif", "mimeType": "image/tiff", "buffer": _file(number, index)}
            for index in range(FILES)
        ]

    def arrive(self) -> None:
        self.page.goto(f"{self.served.address}/images?project=Plate")
        expect(self.page.get_by_role("heading", name="Plate")).to_be_visible(timeout=LONG_MS)
        # On an empty page the drop zone is open; later a button opens it.
        expect(self._zone().or_(self._upload_button()).first).to_be_attached(timeout=30_000)

    def drop(self) -> None:
        """Give the files to the drop zone."""
        if self._zone().count() == 0:
            self._upload_button().click()
        self._zone().set_input_files(self.files)  # type: ignore[arg-type]

    def _zone(self) -> Locator:
        return self.page.get_by_label("Image files", exact=True)

    def _upload_button(self) -> Locator:
        return self.page.locator("[class*=st-key-upload-button] button")


def _file(number: int, place: int) -> bytes:
    """Large and quick to segment."""
    return corpus.tiff(corpus.spheroid((SIDE, SIDE), inside=900 + FILES * number + place))


def before_the_page(visit: Visit) -> None:
    visit.page.goto(f"{visit.served.address}/images?project=Plate", wait_until="commit")


def on_the_page(visit: Visit) -> None:
    visit.arrive()


def _is_upload(request: Request) -> bool:
    return request.method == "POST" and IMAGES.search(request.url) is not None


def files_on_their_way(visit: Visit) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if _is_upload(route.request):
            held.append(route)
        else:
            route.continue_()

    visit.page.route(IMAGES, hold)
    visit.arrive()
    visit.drop()
    wait_until(lambda: visit.page.wait_for_timeout(50) or held)


def a_file_arrived_and_others_not(visit: Visit) -> None:
    passed: list[Route] = []

    def one(route: Route) -> None:
        if _is_upload(route.request):
            passed.append(route)
        if len(passed) <= 1 or not _is_upload(route.request):
            route.continue_()

    visit.page.route(IMAGES, one)
    visit.arrive()
    with visit.page.expect_response(lambda answer: _is_upload(answer.request), timeout=LONG_MS):
        visit.drop()


def files_arrived(visit: Visit) -> None:
    visit.arrive()
    with visit.page.expect_response(lambda answer: _is_upload(answer.request), timeout=LONG_MS):
        visit.drop()


def files_being_stored(visit: Visit) -> None:
    visit.arrive()
    visit.drop()
    visit.page.get_by_text("Storing …").or_(visit.page.get_by_text("Last upload")).first.wait_for()


def one_stored(visit: Visit) -> None:
    visit.arrive()
    visit.drop()
    visit.page.get_by_text("Stored 1 of").or_(visit.page.get_by_text("Last upload")).first.wait_for()


def all_stored(visit: Visit) -> None:
    visit.arrive()
    visit.drop()
    # the tray goes on naming what visitors before did not store
    summary = visit.page.get_by_role("region", name="Uploads").get_by_role("status")
    expect(summary).to_have_text(re.compile(f"^{FILES} stored(, \\d+ not stored)?$"), timeout=LONG_MS)


def refreshed_amid_the_upload(visit: Visit) -> None:
    one_stored(visit)
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Plate")).to_be_visible(timeout=LONG_MS)


def refreshed_amid_the_work(visit: Visit) -> None:
    all_stored(visit)
    visit.page.reload(wait_until="commit")


POINTS: tuple[Callable[[Visit], None], ...] = (
    before_the_page,
    on_the_page,
    files_on_their_way,
    a_file_arrived_and_others_not,
    files_arrived,
    files_being_stored,
    one_stored,
    all_stored,
    refreshed_amid_the_upload,
    refreshed_amid_the_work,
)
FORGOTTEN = (before_the_page, on_the_page, files_on_their_way)
SHORT = (files_on_their_way, one_stored)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("points", [SHORT, pytest.param(POINTS, marks=FULL)], ids=["short", "all"])
def test_who_leaves_at_any_point_leaves_whole_images_or_none(
    served: App, tmp_path: Path, points: tuple[Callable[[Visit], None], ...]
) -> None:
    before = 0
    for number, point in enumerate(points):
        with browser_tab() as tab:
            point(Visit(served, tab.page, number))
        now = at_rest(served)
        came, before = now - before, now
        print(f"{point.__name__}: {came} images came, {held_bytes(served) >> 20} MiB are held")
        assert 0 <= came <= FILES
        if point in FORGOTTEN:
            assert came == 0
        if point in (all_stored, refreshed_amid_the_work):
            assert came == FILES
    assert not held_bytes(served), "files go to the disk, not through the memory of a visit"
    served.process.terminate()
    served.end(STOP_SECONDS)
    assert oracle.check(tmp_path / "data") == {"done": before}


def test_what_has_been_stored_is_not_kept_in_memory_as_well(served: App) -> None:
    with browser_tab() as tab:
        all_stored(Visit(served, tab.page, 0))
        wait_until(lambda: not held_bytes(served), 60, "stored files to be let go, their visitor still there")


def held_bytes(served: App) -> int:
    """Uploaded files that Streamlit has in memory."""
    with urlopen(f"{served.address}/_stcore/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        int(line.split()[-1]) for line in lines if re.match(r"cache_memory.*UploadedFileManager", line)
    )


def at_rest(served: App) -> int:
    """Wait until nothing is segmented any more; return how many images are done, which are all there are."""

    seen: list[dict[str, int]] = []

    def ended() -> bool:
        seen.append(_counts(served))
        time.sleep(LOOK_SECONDS)
        latest = seen[-LOOKS:]
        return not (seen[-1]["queued"] or seen[-1]["running"]) and latest == [seen[-1]] * LOOKS

    wait_until(ended, 120, "the queue to be empty and stay so")
    return seen[-1]["done"]


def _counts(served: App) -> dict[str, int]:
    with urlopen(f"{served.address}/api/queue", timeout=30) as answer:
        counts: dict[str, int] = json.load(answer)["counts"]
        return counts
