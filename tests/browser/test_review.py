"""Review by keys and by mouse, as somebody does it who has a plate to get through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.demo.plate import demo_plate
from tests.browser.app import app_server
from tests.browser.chromium import browser_tab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

N = 6


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a project of six segmented images."""
    folder = tmp_path_factory.mktemp("review")
    files = []
    for file in islice(demo_plate(), N):
        files.append(folder / file.name)
        files[-1].write_bytes(file.data)
    with app_server(folder / "data") as served:
        upload(served, files)
        yield served


def upload(address: str, files: list[Path]) -> None:
    with browser_tab() as tab:
        page = tab.page
        page.goto(address)
        page.get_by_role("button", name="New project").click()
        page.get_by_label("Name", exact=True).fill("Plate")
        page.get_by_role("button", name="Create").click()
        page.get_by_label("Image files", exact=True).set_input_files(files)
        expect(page.get_by_text(f"{N} images · {N} done")).to_be_visible(timeout=120_000)


def name_of(page: Page) -> str:
    return page.locator(".review h2").inner_text()


def press(page: Page, key: str) -> str:
    """Press a key that says something, and wait for the image after it; return its name."""
    before = name_of(page)
    page.keyboard.press(key)
    expect(page.locator(".review h2")).not_to_have_text(before)
    return name_of(page)


def test_a_plate_is_reviewed_by_keys_alone(address: str) -> None:
    with browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/review")
        words = page.locator(".review")
        expect(words).to_contain_text(f"0 of {N} reviewed")
        expect(page.locator("svg path").first).to_be_attached()
        first = name_of(page)
        second = press(page, "Enter")
        expect(words).to_contain_text(f"1 of {N} reviewed")
        assert press(page, "Backspace") == first, "taken back, it is looked at again"
        expect(words).to_contain_text(f"0 of {N} reviewed")
        assert press(page, "Enter") == second
        page.keyboard.press("x")
        expect(page.get_by_role("menu")).to_be_visible()
        tab.shot("review-menu")
        page.keyboard.press("1")  # a reason, and not what 1 says to the picture
        expect(words).to_contain_text(f"2 of {N} reviewed")
        press(page, "u")
        page.get_by_role("button", name="Exclude").click()
        page.get_by_role("menuitem", name="debris").click()
        expect(words).to_contain_text(f"4 of {N} reviewed")
        page.reload()
        expect(words).to_contain_text(f"4 of {N} reviewed")
        assert not tab.errors


def test_the_end_offers_to_take_back_and_to_look_again(address: str) -> None:
    with browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/review")
        words = page.locator(".review")
        expect(words).to_contain_text(f"4 of {N} reviewed")
        press(page, "Enter")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=f"All {N} images are reviewed")).to_be_visible()
        expect(page.get_by_text("3 right, 2 excluded, 1 unsure")).to_be_visible()
        tab.shot("review-finished")
        rows = page.request.get(f"{address}/api/projects/{project_of(page)}/images").json()["images"]
        assert sorted(str(row["review_reason"]) for row in rows if row["review"] == "excluded") == [
            "debris",
            "out of focus",
        ]
        page.get_by_role("button", name="Undo", exact=True).click()
        expect(words).to_contain_text(f"5 of {N} reviewed")
        expect(page.get_by_role("button", name="Undo", exact=True)).to_be_hidden()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=f"All {N} images are reviewed")).to_be_visible()
        page.get_by_role("button", name="Look again at 1 unsure image").click()
        expect(words).to_contain_text("somebody was unsure")
        page.keyboard.press("e")
        expect(page.get_by_text("Back to the review")).to_be_visible()
        expect(page).to_have_url(re.compile(r"[?&]edit=1\b"))
        page.get_by_text("Back to the review").click()
        expect(words).to_contain_text("somebody was unsure")
        assert not tab.errors


def project_of(page: Page) -> str:
    found = re.search(r"project=([0-9a-f]+)", page.url)
    assert found is not None
    return found[1]
