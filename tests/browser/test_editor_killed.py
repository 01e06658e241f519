"""Tabs that are closed or crash while somebody draws: only the stroke that was not ended is lost."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.chromium import ROOT, browser_tab, streamlit_server
from tests.browser.editing import DISCS, HEIGHT, WIDTH, Point, drag, made_scene, opened, saved, state
from tests.browser.editing import at as place_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CELL = 26.0  # px: each stroke makes a new spheroid in a place of its own
SMALLER = 6  # times that the brush is made smaller, so that strokes in two places do not touch


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.full)])
def test_a_tab_that_ends_amid_a_stroke_loses_that_stroke_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path))
    scene = made_scene(tmp_path)
    dice = random.Random(kills)
    places = _places()
    drawn = 0
    with streamlit_server(ROOT / "app.py") as server, browser_tab() as tab:
        page = tab.page
        for turn in range(kills):
            opened(page, scene, server)
            assert len(state(scene, server)["objects"]) == len(DISCS) + drawn
            for _ in range(SMALLER):
                page.keyboard.press("[")
            for _ in range(dice.randint(1, 2)):
                x, y = places[drawn]
                drag(page, (x, y), (x + 5, y))
                drawn += 1
            _begin_a_stroke(page, places[drawn])
            page = _killed(page, tab.page.context, crash=turn % 2 == 1)
        opened(page, scene, server)
        saved(page)
        found = state(scene, server)
        assert len(found["objects"]) == len(DISCS) + drawn
        assert found["revision"] == drawn
        expect(page.locator("tbody tr")).to_have_count(len(DISCS) + drawn)


def _places() -> list[Point]:
    """Middles of cells that no disc is near."""
    every = [
        (CELL * (column + 0.5), CELL * (row + 0.5))
        for row in range(1, int(HEIGHT / CELL) - 1)
        for column in range(2, int(WIDTH / CELL) - 1)
    ]
    return [
        (x, y)
        for x, y in every
        if all((x - a) ** 2 + (y - b) ** 2 > (radius + CELL) ** 2 for a, b, radius in DISCS)
    ]


def _begin_a_stroke(page: Page, point: Point) -> None:
    x, y = place_of(page, *point)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y + 3, steps=4)


def _killed(page: Page, context: BrowserContext, crash: bool) -> Page:
    """Another tab of the browser, once this one is gone."""
    fresh = context.new_page()
    if crash:
        with page.expect_event("crash"), suppress(PlaywrightError):  # as the address never answers
            page.goto("chrome://crash")
    page.close()
    return fresh
