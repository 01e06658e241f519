"""Files and folders dropped anywhere on a page go to its project, and the browser opens none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.ui.components.asset_files import asset
from tests import corpus
from tests.browser.app import app_server, lab_in
from tests.browser.chromium import browser_tab
from tests.browser.test_journey import assert_clean, grid, row_names
from tests.browser.test_uploads import write_images
from tests.http.lab import disc
from tests.polling import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with two projects, in one of them an image."""
    data = tmp_path_factory.mktemp("drops") / "data"
    with lab_in(data) as lab:
        image = lab.image(lab.project("Melanoma"), "Z09.png", corpus.png(corpus.noise(seed=99)))
        lab.measured(image, disc())
        lab.project("Glioma")
    with app_server(data) as served:
        yield served


def hold(page: Page, place: tuple[float, float], *paths: Path) -> None:
    """Hold files over a place of the page, as from the computer's own window of files."""
    drag(page, ("dragEnter", "dragOver"), place, *paths)


def drop(page: Page, place: tuple[float, float], *paths: Path) -> None:
    """Hold files over a place and let them go."""
    drag(page, ("dragEnter", "dragOver", "drop"), place, *paths)


def drag(page: Page, kinds: tuple[str, ...], place: tuple[float, float], *paths: Path) -> None:
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in kinds:
        event = {"type": kind, "x": place[0], "y": place[1], "data": data}
        session.send("Input.dispatchDragEvent", event)


def wait_until_ready(page: Page) -> None:
    """Wait until files can be dropped on the page and on the tables in its frames."""
    page.wait_for_function("""() => 'suffixes' in (window.spheroscopeDrops ?? {})
        && [...document.querySelectorAll('iframe')].every(frame => frame.contentWindow.spheroscopeDrops)""")


def names(page: Page, address: str, project: str) -> list[str]:
    projects = page.request.get(f"{address}/api/projects").json()["projects"]
    key = next(item["id"] for item in projects if item["name"] == project)
    images = page.request.get(f"{address}/api/projects/{key}/images?limit=200").json()["images"]
    return sorted(image["name"] for image in images)


def test_files_dropped_on_a_table_and_a_folder_on_a_page_go_to_the_project(
    address: str, tmp_path: Path
) -> None:
    files = write_images(tmp_path / "single", 2)
    for number, path in enumerate(write_images(tmp_path / "plate 1" / "day 3", 2)):
        path.write_bytes(corpus.png(corpus.noise(seed=50 + number)))
    (tmp_path / "plate 1" / "notes.txt").write_text("for myself")
    with browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/images?project=Melanoma")
        expect(row_names(page).first).to_be_visible()
        wait_until_ready(page)
        row = wait_until(grid(page).locator(".ag-row").first.bounding_box)  # rows are drawn anew
        assert row
        place = (row["x"] + 300, row["y"] + 20)
        hint = page.get_by_text("Drop to add to Melanoma")
        wait_until(
            lambda: hold(page, place, *files) or hint.is_visible(), 60
        )  # the browser, too, says it anew
        tab.shot("drop-over-table")
        drop(page, place, *files)
        tray = page.get_by_role("region", name="Uploads")
        expect(tray).to_contain_text("2 stored")
        assert page.url.startswith(f"{address}/images"), "the browser has opened no file"
        page.get_by_role("link", name="Queue").click()
        expect(page.get_by_role("heading", level=1, name="Queue")).to_be_visible()
        drop(page, (700.0, 60.0), tmp_path / "plate 1")
        expect(tray).to_contain_text("1 other file in the folder left out.")
        expect(tray).to_contain_text("4 stored")
        stored = ["A00.png", "A01.png", "Z09.png", "plate 1/day 3/A00.png", "plate 1/day 3/A01.png"]
        assert names(page, address, "Melanoma") == stored
        assert_clean(tab)


def test_a_table_that_was_there_before_takes_files_as_well() -> None:
    with browser_tab() as tab:
        tab.page.set_content("<iframe srcdoc='a table'></iframe>")
        is_watched = tab.page.evaluate(f"""() => {{
          {asset("uploads_drops.js")}
          new Drops({{}});
          return 'spheroscopeDrops' in document.querySelector('iframe').contentWindow;
        }}""")
    assert is_watched, "the page need not change for it"


def test_where_no_project_is_chosen_a_drop_says_so_and_uploads_nothing(address: str, tmp_path: Path) -> None:
    with browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/health")
        expect(page.get_by_text("All is well")).to_be_visible()
        wait_until_ready(page)
        drop(page, (700.0, 400.0), *write_images(tmp_path, 1))
        tray = page.get_by_role("region", name="Uploads")
        expect(tray).to_contain_text("Choose a project in the sidebar")
        tab.shot("drop-without-project")
        tray.get_by_role("button", name="Dismiss").click()
        expect(tray).to_be_hidden()
        assert names(page, address, "Glioma") == []
        assert_clean(tab)
