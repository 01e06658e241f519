"""Views saved in one window and opened in another; counts that agree with the table in every window."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import corpus
from tests.browser.app import app_server, lab_in
from tests.browser.chromium import browser_tab
from tests.browser.test_grid import shows
from tests.browser.test_journey import assert_clean, grid, row_names
from tests.http.lab import disc

pytestmark = [pytest.mark.browser, pytest.mark.slow]
N_IMAGES = 12


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with two projects of 12 images each; nothing was found in each third."""
    data = tmp_path_factory.mktemp("windows") / "data"
    with lab_in(data) as lab:
        for project in (lab.project("Melanoma"), lab.project("Glioma")):
            for number in range(N_IMAGES):
                image = lab.image(project, f"A{number:02}.png", corpus.png(corpus.noise(seed=number)))
                lab.measured(image, *([disc()] if number % 3 else []))
    with app_server(data) as served:
        yield served


def open_images(page: Page, address: str, project: str) -> None:
    page.goto(f"{address}/images?project={project}")
    expect(row_names(page).first).to_be_visible()


def test_a_saved_view_leads_to_the_same_rows_in_another_window(address: str) -> None:
    with browser_tab() as tab:
        page = tab.page
        open_images(page, address, "Melanoma")
        page.get_by_text("nothing found (4)").click()
        expect(page.get_by_text("All 4 images on this filter")).to_be_visible()
        page.get_by_role("button", name="Views").click()
        page.get_by_label("Name of the view").fill("Empty wells")
        page.get_by_role("button", name="Save this view").click()
        expect(page.get_by_role("link", name="Empty wells")).to_be_visible()
        tab.shot("views-saved")
        other = page.context.new_page()
        open_images(other, address, "Melanoma")
        other.get_by_role("button", name="Views").click()
        other.get_by_role("link", name="Empty wells").click()
        expect(other.get_by_text("All 4 images on this filter")).to_be_visible()
        expect(row_names(other)).to_have_text(["A09.png", "A06.png", "A03.png", "A00.png"])
        other.get_by_role("button", name="Views").click()
        other.get_by_test_id("stPopoverBody").get_by_role("button", name="Delete").click()
        expect(other.get_by_role("link", name="Empty wells")).to_have_count(0)
        page.reload()
        expect(row_names(page).first).to_be_visible()
        page.get_by_role("button", name="Views").click()
        expect(page.get_by_text("Set a filter or an order, give it a name here")).to_be_visible()
        assert_clean(tab)


def test_counts_agree_with_the_table_in_every_window(address: str) -> None:
    with browser_tab() as tab:
        page, other = tab.page, tab.page.context.new_page()
        open_images(page, address, "Glioma")
        open_images(other, address, "Glioma")
        page.bring_to_front()
        for row in (0, 1):
            grid(page).locator(f".ag-row[row-index='{row}'] input[type=checkbox]").first.check()
        expect(page.get_by_text("2 images selected")).to_be_visible()
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^Delete")).click()
        for window in (page, other):
            window.bring_to_front()
            expect(window.get_by_text("10 images", exact=True).first).to_be_visible()
            shows(window, "1 to 10 of 10")
        assert_clean(tab)
