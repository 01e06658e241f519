"""One time zone on every page: the visitor's, named beside every time and axis, or UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests import corpus
from tests.browser.app import app_server, lab_in
from tests.browser.chromium import browser_tab
from tests.browser.test_journey import assert_clean, grid, row_names
from tests.http.lab import disc

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ZONE = "Asia/Tokyo"  # without summer time


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with one measured image."""
    data = tmp_path_factory.mktemp("times") / "data"
    with lab_in(data) as lab:
        lab.measured(lab.image(lab.project("Plate"), "A01.png", corpus.png(corpus.noise())), disc())
    with app_server(data) as served:
        yield served


def added(page: Page, address: str) -> datetime:
    project = page.request.get(f"{address}/api/projects").json()["projects"][0]["id"]
    row = page.request.get(f"{address}/api/projects/{project}/images").json()["images"][0]
    return datetime.fromisoformat(row["created_at"]).replace(tzinfo=UTC)


def test_times_are_the_visitors_and_can_be_those_of_utc(address: str) -> None:
    with browser_tab(zone=ZONE) as tab:
        page = tab.page
        page.goto(f"{address}/images?project=Plate")
        expect(row_names(page).first).to_be_visible()
        time = added(page, address)
        header, cell = (grid(page).locator(f".ag-{part}[col-id=created]") for part in ("header-cell", "cell"))
        expect(header).to_contain_text("Added, Tokyo")
        expect(cell).to_contain_text(f"{time.astimezone(ZoneInfo(ZONE)):%H:%M}")
        tab.shot("times-images")
        page.get_by_text("UTC", exact=True).click()
        expect(header).to_contain_text("Added, UTC")
        expect(cell).to_contain_text(f"{time:%H:%M}")
        expect(page).to_have_url(re.compile("times=UTC"))
        assert_clean(tab)


def test_where_the_visitor_is_in_utc_there_is_nothing_to_choose(address: str) -> None:
    with browser_tab() as tab:
        tab.page.goto(f"{address}/images?project=Plate")
        expect(row_names(tab.page).first).to_be_visible()
        expect(grid(tab.page).locator(".ag-header-cell[col-id=created]")).to_contain_text("Added, UTC")
        expect(tab.page.get_by_text("Times in")).to_have_count(0)
