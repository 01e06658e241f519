"""Import outlines: masks that are dropped into the dialog become results, and no images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests import corpus
from tests.browser.app import app_server, lab_in
from tests.browser.chromium import browser_tab
from tests.browser.test_drops import drop, names, wait_until_ready
from tests.browser.test_journey import assert_clean, row_names
from tests.corrections.conftest import RECIPE
from tests.http.lab import disc
from tests.polling import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
IMAGES = ["day 1/A05.png", "day 2/A05.png", "B07.png"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with a project of three images, each with one spheroid."""
    data = tmp_path_factory.mktemp("imports") / "data"
    with lab_in(data) as lab:
        project = lab.project("Melanoma")
        for seed, name in enumerate(IMAGES):
            image = lab.image(project, name, corpus.png(corpus.noise(seed=seed)))
            lab.measured(image, disc(), recipe=RECIPE)
    with app_server(data) as served:
        yield served


def write_masks(folder: Path) -> list[Path]:
    """Masks of two spheroids, of none, of an image that is not there, and a zip that is damaged."""
    labels = np.zeros(corpus.noise().shape, np.uint8)
    empty, labels[2:9, 2:9], labels[12:18, 12:20] = labels.copy(), 1, 2
    contents = {
        "day 2_A05_masks.png": corpus.png(labels),
        "B07_mask.png": corpus.png(empty),
        "A05.png": corpus.png(labels),
        "C01_rois.zip": b"PK",
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]


def test_masks_that_are_dropped_into_the_dialog_become_results_and_no_images(
    address: str, tmp_path: Path
) -> None:
    with browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/images?project=Melanoma")
        expect(row_names(page).first).to_be_visible(timeout=60_000)
        wait_until_ready(page)
        page.get_by_role("button", name="Import outlines").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Import", exact=True)).to_be_disabled()
        tab.shot("import-outlines-empty")
        field = wait_until(dialog.get_by_test_id("stFileUploaderDropzone").bounding_box)
        assert field
        files = write_masks(tmp_path)
        drop(page, (field["x"] + 60, field["y"] - 60), *files)  # beside the field: nobody takes them
        drop(page, (field["x"] + 60, field["y"] + 20), *files)
        dialog.get_by_role("button", name="Import 4 files").click(timeout=60_000)
        summary = "1 imported, 1 imported empty, 2 not imported"
        expect(dialog.get_by_text(summary)).to_be_visible(timeout=60_000)
        expect(dialog.get_by_role("button", name="Import", exact=True)).to_be_disabled()
        tab.shot("import-outlines")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        assert names(page, address, "Melanoma") == sorted(IMAGES)
        key = page.request.get(f"{address}/api/projects").json()["projects"][0]["id"]
        images = page.request.get(f"{address}/api/projects/{key}/images").json()["images"]
        counts = {image["name"]: image["n_objects"] for image in images}
        assert counts == {"day 1/A05.png": 1, "day 2/A05.png": 2, "B07.png": 0}
        tab.shot("import-outlines-after")
        assert_clean(tab)
