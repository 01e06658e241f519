"""An image of 80 megapixels in the editor: the browser holds parts of it, strokes are of full resolution."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Response, expect

from core.ui.components.viewer_payload import MAX_PICTURE_PX
from core.ui.format import three_digits
from tests.browser.chromium import ROOT, browser_tab, streamlit_server
from tests.browser.editing import Labels, Scene, at, drag, labels_of_state, made_scene, opened, saved, state

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.full]
SHAPE = (7812, 10_240)
SPHEROIDS = ((2600.0, 2400.0, 900.0), (7200.0, 5200.0, 600.0), (8800.0, 1500.0, 300.0))
UM_PER_PX = 2.0
MOST_PIXELS = MAX_PICTURE_PX**2  # of one picture that reaches the browser
MOST_BYTES = 24 * 2**20


@dataclass
class Pictures:
    """Of every picture that reached the browser its pixels and its bytes."""

    sizes: list[tuple[int, int]] = field(default_factory=list)

    def received(self, response: Response) -> None:
        kind = response.headers.get("content-type", "")
        if response.ok and kind.startswith("image/") and "svg" not in kind:
            data = response.body()
            with Image.open(io.BytesIO(data)) as picture:
                self.sizes.append((picture.width * picture.height, len(data)))


def test_80_megapixels_are_opened_zoomed_and_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path))
    labels = _labels()
    scene = made_scene(tmp_path, labels)
    pictures = Pictures()
    with streamlit_server(ROOT / "app.py") as server, browser_tab() as tab:
        page = tab.page
        page.on("response", pictures.received)
        opened(page, scene, server)
        expect(page.locator("tbody tr")).to_have_count(3)
        assert _zoom(page) < 10
        tab.shot("editor-80-megapixels")
        after = _painted_from_afar(page, scene, server, labels)
        _erased_from_near(page, scene, server, after)
        tab.shot("editor-80-megapixels-close")
        _wheel_to(page, 5)
        assert _zoom(page) == 5
        page.keyboard.press("0")
        for _ in range(2):
            page.keyboard.press("Control+z")
            saved(page)
        assert np.array_equal(labels_of_state(state(scene, server), SHAPE), labels)
        assert tab.errors == []
    assert len(pictures.sizes) >= 2
    assert max(pixels for pixels, _ in pictures.sizes) <= MOST_PIXELS < SHAPE[0] * SHAPE[1] / 3
    assert max(n_bytes for _, n_bytes in pictures.sizes) <= MOST_BYTES


def _painted_from_afar(page: Page, scene: Scene, server: str, labels: Labels) -> Labels:
    """Enlarge the second spheroid with the whole image in sight; its number comes back."""
    drag(page, (7200, 5200), (7200, 6000))
    saved(page)
    after = labels_of_state(state(scene, server), SHAPE)
    area = float((after == 2).sum())
    assert area > (labels == 2).sum() + 10_000
    diameter = three_digits(2 * (area / np.pi) ** 0.5 * UM_PER_PX)
    expect(page.locator("tbody tr[data-number='2'] td").nth(1)).to_have_text(diameter)
    return after


def _erased_from_near(page: Page, scene: Scene, server: str, before: Labels) -> None:
    """Take single pixels from the right edge of the first spheroid."""
    x, y = at(page, 3500, 2400)
    page.mouse.move(x, y)
    _wheel_to(page, 3200)
    assert _zoom(page) >= 3200
    expect(page.locator(".stage img")).to_have_count(
        2
    )  # once the picture rests, the part in sight is fetched
    page.keyboard.press("x")
    page.mouse.down()
    page.mouse.move(x + 40, y + 40, steps=8)
    page.mouse.up()
    saved(page)
    changed = np.argwhere(labels_of_state(state(scene, server), SHAPE) != before)
    assert 0 < len(changed) < 400
    assert np.abs(changed.mean(axis=0) - (2400, 3500)).max() < 20


def _labels() -> Labels:
    labels = np.zeros(SHAPE, np.int32)
    for number, (x, y, radius) in enumerate(SPHEROIDS, start=1):
        cv2.circle(labels, (round(x), round(y)), round(radius), number, -1)
    return labels


def _zoom(page: Page) -> int:
    text = page.locator(".zoom").text_content() or ""
    found = re.search(r"\d+", text)
    assert found is not None, text
    return int(found.group())


def _wheel_to(page: Page, percent: int) -> None:
    """Turn the wheel until the picture is as large."""
    for _ in range(100):
        now = _zoom(page)
        if now == percent or (now > percent) == (percent > 100):
            return
        page.mouse.wheel(0, -240 if percent > now else 240)
        page.wait_for_timeout(30)
