"""The steps of docs/tutorial.md, each of which works; ``make pictures`` writes their pictures anew."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from core.demo import plate
from tests.browser.app import app_server
from tests.browser.chromium import ARTEFACTS, ROOT, at_rest, browser_tab, still
from tests.browser.test_journey import open_image, row_names

pytestmark = [pytest.mark.browser, pytest.mark.slow(100), pytest.mark.timeout(900)]
WRITE = os.environ.get("WRITE_PICTURES") == "1"
FOLDER = ROOT / "docs" / "pictures" if WRITE else ARTEFACTS / "tutorial"
WIDTH_PX, QUALITY = 1100, 80


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """An app whose demo plate is whole, as in the pictures; no other test waits for all of it."""
    with app_server(tmp_path / "data") as served:
        yield served


def save(page: Page, name: str) -> None:
    """Save what is seen as a small WebP."""
    page.wait_for_timeout(1500)  # charts and pictures fade in; nothing depends on it but the look
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    size = (WIDTH_PX, round(picture.height * WIDTH_PX / picture.width))
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture.resize(size, Image.Resampling.LANCZOS).save(FOLDER / f"{name}.webp", quality=QUALITY, method=6)


def test_every_step_of_the_tutorial_works(address: str) -> None:
    n_images = len(plate.manifest())
    with browser_tab() as tab:
        page = tab.page
        page.goto(address)
        expect(page.get_by_role("button", name="Load demo plate").first).to_be_visible()
        save(page, "projects")
        page.get_by_role("button", name="Load demo plate").first.click()
        expect(page.get_by_text(f"{n_images} images · {n_images} done")).to_be_visible(timeout=420_000)
        expect(row_names(page).first).to_be_visible()
        save(page, "images")
        page.get_by_role("button", name="Export", exact=True).click()
        expect(page.get_by_text("Round to 6 significant digits")).to_be_visible()
        save(page, "export")
        page.keyboard.press("Escape")
        expect(page.get_by_text("Round to 6 significant digits")).to_be_hidden()
        open_image(page, row_names(page).first.inner_text())
        expect(page.locator("svg path").first).to_be_attached()
        save(page, "image")
        _correct(page)
        page.get_by_role("link", name="Measurements").click()
        expect(page.get_by_text("Horizontal axis")).to_be_visible()
        save(page, "measurements")
        page.get_by_role("link", name="Throughput").click()
        expect(page.get_by_text("All is well:")).to_be_visible()
        save(page, "throughput")
        page.get_by_role("link", name="Help").click()
        expect(page.get_by_role("heading", name="From images to a table in ten minutes")).to_be_visible()
        expect(page.get_by_text("The table of images", exact=True)).to_be_visible()
        drawn = page.locator("[data-testid=stImage] img").first
        assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") == WIDTH_PX


def _correct(page: Page) -> None:
    """Enlarge the first outline with the brush, and give the correction up again."""
    page.get_by_role("button", name="Correct outlines").click()
    expect(page.locator(".saved")).to_have_text("Saved")
    at_rest(page)
    still(page.locator(".stage img").first)
    outline = page.locator(".object").first.bounding_box()
    assert outline is not None
    x, y = outline["x"] + outline["width"] / 2, outline["y"] + outline["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + outline["height"] * 0.7, steps=10)
    page.mouse.up()
    expect(page.locator("tr.changed")).to_have_count(1)
    expect(page.locator(".saved")).to_have_text("Saved")
    save(page, "editor")
    page.once("dialog", lambda question: question.accept())
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("button", name="Correct outlines")).to_be_visible()
