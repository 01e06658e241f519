"""The main job as a biologist does it: drop images into a project, look at one, take the table away."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests import corpus
from tests.browser.app import app_server
from tests.browser.chromium import Tab, at_rest, browser_tab, still
from tests.browser.few_wells import N_IMAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """An app without a project."""
    with app_server(tmp_path / "data", few_wells=True) as served:
        yield served


def test_from_dropped_files_to_the_table(address: str, tmp_path: Path) -> None:
    folder = corpus.datasets() / "mls11_spheroids_dagostino" / "images"
    files = sorted(folder.glob("*.tif"))[:3]
    bad = tmp_path / "page.png"
    bad.write_bytes(corpus.html())
    with browser_tab() as tab:
        page = tab.page
        create_project(page, address, "Melanoma 2026-11")
        page.get_by_label("Image files", exact=True).set_input_files([*files, bad])
        expect(page.get_by_text("Last upload: 3 stored, 1 refused")).to_be_visible()
        expect(page.get_by_text("3 images · 3 done")).to_be_visible(timeout=120_000)
        expect(row_names(page)).to_have_count(3)
        tab.shot("journey-images")
        open_image(page, files[0].name)
        outlines = page.locator("svg path")
        expect(outlines.first).to_be_attached()
        at_rest(page)
        still(page.locator(".stage"))
        fits = page.locator(".stage").bounding_box()
        assert fits is not None
        assert fits["y"] + fits["height"] <= 800, "the whole picture is in sight on a laptop's screen"
        page.get_by_role("tab", name="File").click()
        expect(page.get_by_text("1.3622 µm/px")).to_be_visible()
        expect(page.get_by_text("Loading…")).to_be_hidden()
        tab.shot("journey-image")
        page.get_by_text("Images of this project").click()
        with page.expect_popup() as popup, page.context.expect_event("page"):
            page.get_by_role("link", name="Spheroids CSV").click()
        assert_clean(tab)
        popup.value.close()
        rows = download(page, f"{address}{objects_path(page)}")
    assert {row["path"] for row in rows} == {file.name for file in files}
    assert all(float(row["area_um2"]) > 0 for row in rows)


def test_a_new_user_has_a_table_of_own_images_after_four_clicks(address: str, tmp_path: Path) -> None:
    files = [tmp_path / f"well {number}.png" for number in range(3)]
    for number, file in enumerate(files):
        file.write_bytes(corpus.png(corpus.noise((200, 200), seed=number)))
    with browser_tab() as tab:
        page = tab.page
        page.add_init_script("""window.clicks = 0;
            addEventListener('click', event => { window.clicks += event.isTrusted ? 1 : 0; }, true)""")
        page.goto(address)
        page.get_by_role("button", name="New project").first.click()
        page.get_by_role("dialog").get_by_label("Name").fill("My first plate")
        page.get_by_role("dialog").get_by_role("button", name="Create").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose files").click()
        chooser.value.set_files(files)
        expect(row_names(page)).to_have_count(3, timeout=120_000)
        assert page.evaluate("window.clicks") <= 4 + 1, (
            "a file chooser is opened by a click of the program's own"
        )
        tab.shot("journey-first-use")
        assert_clean(tab)


def test_demo_plate_is_segmented_while_one_watches(address: str) -> None:
    with browser_tab(theme="dark") as tab:
        page = tab.page
        page.goto(address)
        page.get_by_role("button", name="Load demo plate").first.click()
        expect(page.get_by_text(f"{N_IMAGES} images · {N_IMAGES} done")).to_be_visible(timeout=240_000)
        expect(row_names(page).first).to_be_visible()
        tab.shot("journey-demo-dark")
        page.get_by_role("link", name="Queue").click()
        tiles = page.get_by_role("status").filter(has_text="queued")
        expect(tiles).to_contain_text(re.compile(rf"done\s*{N_IMAGES}\b"))
        tab.shot("journey-queue-dark")
        assert_clean(tab)


def test_pages_are_usable_on_a_tablet(address: str) -> None:
    with browser_tab(820, 1180, touch=True) as tab:
        create_project(tab.page, address, "Tablet")
        at_rest(tab.page)
        tab.shot("journey-tablet")
        too_wide = tab.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not too_wide
        assert_clean(tab)


def create_project(page: Page, address: str, name: str) -> None:
    """Create a project with the keyboard alone, once its dialog is there; it opens by itself."""
    page.goto(address)
    page.get_by_role("button", name="New project").first.click()
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def grid(page: Page) -> FrameLocator:
    return page.frame_locator("iframe").first


def row_names(page: Page):  # type: ignore[no-untyped-def]
    return grid(page).locator(".ag-row .opens")


def open_image(page: Page, name: str) -> None:
    row_names(page).get_by_text(name, exact=True).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def objects_path(page: Page) -> str:
    link = page.get_by_role("link", name="Spheroids CSV").get_attribute("href")
    assert link
    return link


def download(page: Page, url: str) -> list[dict[str, str]]:
    answer = page.request.get(url)
    assert answer.ok
    return list(csv.DictReader(answer.text().splitlines()))


def assert_clean(tab: Tab) -> None:
    refused = "status of 422"  # Chromium's own word on a file that was refused
    assert [error for error in tab.errors if refused not in error] == []
