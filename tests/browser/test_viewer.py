"""The image viewer as a user meets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import Tab, at_rest, browser_tab, require_chromium, still, streamlit_server
from tests.polling import wait_until

pytestmark = pytest.mark.browser

# Grey 320 × 240 pictures without a file: flat ones are enough where only their address matters.
SCRIPT = """
import base64
from io import BytesIO

import streamlit as st
from PIL import Image

from core.models import Contour, Spheroid
from core.ui.components.viewer import ViewerOptions, spheroid_table, viewer
from core.ui.components.viewer_payload import Comparison


def picture(grey):
    file = BytesIO()
    Image.new("L", (320, 240), grey).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def square(number, x, y, side, hole=False, border=False):
    ring = ((x, y), (x + side, y), (x + side, y + side), (x, y + side))
    third = side / 3
    holes = (tuple((x + third + (a - x) / 3, y + third + (b - y) / 3) for a, b in ring),) if hole else ()
    measured = {"equivalent_diameter": 1.128 * side, "area": float(side**2), "solidity": 1.0}
    measured |= {"circularity": None, "touches_border": border, "n_holes": len(holes)}
    return Spheroid(number, Contour(ring, holes), measured, {"circularity": "too few pixels"}, 0.9)


st.set_page_config(layout="wide")
mode = st.query_params.get("mode", "")
number = st.session_state.setdefault("number", 1)


def navigate(step):
    st.session_state.number += step


spheroids = (square(1, 20, 20, 60), square(2, 140, 60, 90, hole=True), square(3, 0, 170, 50, border=True))
if mode == "many":
    spheroids = tuple(square(n + 1, 20 + 11 * (n % 20), 20 + 9 * (n // 20), 8) for n in range(200))
comparison = Comparison((square(1, 30, 30, 60),), "Current", "Preview") if mode == "compared" else None
raw = "/missing.png" if mode == "broken" else picture(60 + number)
left, right = st.columns([1.6, 1])
with right:
    spheroid_table("viewer")  # it may be drawn before its viewer
with left:
  state = viewer(
    image_url=raw,
    stretch_url=picture(200 + number),
    width=320,
    height=240,
    spheroids=() if mode == "none" else spheroids,
    um_per_px=None if mode == "uncalibrated" else 2.0,
    selected=2 if st.session_state.get("wish") else None,
    key="viewer",
    options=ViewerOptions("500px", "", comparison, can_calibrate=mode != "plain"),
    on_navigate=navigate,
  )
st.button("Select the second", key="wish")
st.write(f"image {number}, selected {state.selected}")
if state.line:
    st.session_state["line"] = state.line
if line := st.session_state.get("line"):
    st.write(f"line {line.length_px:.1f} px from {line.start[0]:.0f}, {line.start[1]:.0f}")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require_chromium()
    script: Path = tmp_path_factory.mktemp("viewer") / "app.py"
    script.write_text(SCRIPT, encoding="utf-8")
    with streamlit_server(script) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with browser_tab() as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab, server: str) -> Iterator[Tab]:
    """A fresh session on the viewer's page; whatever the test does, nothing may be logged as an error."""
    browser.errors.clear()
    opened(browser.page, server)
    yield browser
    assert browser.errors == []


def opened(page: Page, server: str, mode: str = "") -> None:
    page.goto(f"{server}/?mode={mode}")
    expect(page.get_by_text("image 1, selected None")).to_be_visible()
    expect(page.locator(".zoom")).to_have_text(re.compile("[1-9]"))  # it is 0 % until there is room
    at_rest(page)


def outline(page: Page, number: int) -> Locator:
    return page.locator(f".object[data-number='{number}']")


def row(page: Page, number: int) -> Locator:
    return page.locator(f"tbody tr[data-number='{number}']")


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a point of the image, in image pixels, lies on the page, once the picture has come to rest."""
    still(page.locator("img"))
    box = page.locator("img").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"] / 320, box["y"] + y * box["height"] / 240


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw from one point of the image to another."""
    first, last = at(page, *start), at(page, *end)
    page.mouse.move(*first)
    page.mouse.down()
    page.mouse.move(*last, steps=5)
    page.mouse.up()


def overlapping_numbers(page: Page) -> int:
    """How many pairs of the numbers that are shown have pixels in common."""
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('*')].flatMap((e) => e.shadowRoot ? [e.shadowRoot] : [])
        .flatMap((root) => [...root.querySelectorAll('.labels text')])
        .filter((text) => getComputedStyle(text).display !== 'none')
        .map((text) => text.getBoundingClientRect()).map((b) => [b.left, b.top, b.right, b.bottom])"""
    )
    assert boxes
    slack = 1.0  # a border of the glyphs that is drawn round
    return sum(
        a[0] < b[2] - slack and b[0] < a[2] - slack and a[1] < b[3] - slack and b[1] < a[3] - slack
        for index, a in enumerate(boxes)
        for b in boxes[:index]
    )


def zoom(page: Page) -> int:
    return int((page.locator(".zoom").text_content() or "").removesuffix(" %"))


def enlarge(page: Page, times: int) -> None:
    """Press + so often, each time once the picture has followed the last."""
    for _ in range(times):
        before = zoom(page)
        page.keyboard.press("+")
        expect(page.locator(".zoom")).not_to_have_text(f"{before} %")


def test_outlines_and_rows_are_drawn(tab: Tab) -> None:
    page = tab.page
    expect(page.locator(".object")).to_have_count(3)
    expect(page.locator(".labels text")).to_have_text(["1", "2", "3"])
    expect(row(page, 1).locator("td")).to_have_text(["1", "135", "14\u202f400", "–", "1.00", "▲ 0.90", ""])
    expect(row(page, 1).get_by_text("–", exact=True)).to_have_attribute("title", "too few pixels")
    expect(row(page, 2)).to_contain_text("1 hole")
    expect(row(page, 3)).to_contain_text("at the edge")
    assert (outline(page, 2).locator(".line").get_attribute("d") or "").count("Z") == 2
    tab.shot("viewer-test")


def test_pointing_ties_outline_and_row(tab: Tab) -> None:
    page = tab.page
    page.mouse.move(*at(page, 50, 50))
    expect(row(page, 1)).to_have_class("hovered")
    row(page, 3).hover()
    expect(outline(page, 3)).to_have_class("object border hovered")
    expect(row(page, 1)).not_to_have_class("hovered")


def test_a_click_selects_and_python_hears_of_it(tab: Tab) -> None:
    page = tab.page
    page.mouse.click(*at(page, 50, 50))
    expect(page.get_by_text("image 1, selected 1")).to_be_visible()
    expect(row(page, 1)).to_have_attribute("aria-selected", "true")
    row(page, 3).click()
    expect(page.get_by_text("image 1, selected 3")).to_be_visible()
    expect(outline(page, 3)).to_have_class(re.compile("selected"))
    page.keyboard.press("Escape")
    expect(page.get_by_text("image 1, selected None")).to_be_visible()
    expect(page.locator("tr.selected")).to_have_count(0)


def test_a_second_click_clears_and_a_hole_is_not_part_of_its_spheroid(tab: Tab) -> None:
    page = tab.page
    page.mouse.click(*at(page, 185, 105))
    page.mouse.click(*at(page, 150, 70))
    expect(page.get_by_text("image 1, selected 2")).to_be_visible()
    page.wait_for_timeout(600)  # a second click within half a second would be a double click
    page.mouse.click(*at(page, 150, 70))
    expect(page.get_by_text("image 1, selected None")).to_be_visible()


def test_rows_are_chosen_with_the_keyboard(tab: Tab) -> None:
    page = tab.page
    row(page, 1).focus()
    page.keyboard.press("ArrowDown")
    expect(row(page, 2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("image 1, selected 2")).to_be_visible()


def test_the_page_can_select(tab: Tab) -> None:
    page = tab.page
    row(page, 1).click()
    expect(page.get_by_text("image 1, selected 1")).to_be_visible()
    page.get_by_role("button", name="Select the second").click()
    expect(page.get_by_text("image 1, selected 2")).to_be_visible()
    expect(outline(page, 2)).to_have_class("object selected")


def test_the_wheel_zooms_and_keeps_the_point_under_the_cursor(tab: Tab) -> None:
    page = tab.page
    enlarge(page, 2)
    before, point = zoom(page), at(page, 150, 110)
    page.mouse.move(*point)
    page.mouse.wheel(0, -200)
    expect(page.locator(".zoom")).not_to_have_text(f"{before} %")
    assert zoom(page) > before
    wait_until(lambda: at(page, 150, 110) == pytest.approx(point, abs=1.5))
    expect(page.locator("img")).to_have_class("pixels")
    page.get_by_role("button", name="One image pixel").click()
    expect(page.locator(".zoom")).to_have_text("100 %")


def test_a_drag_pans_and_selects_nothing(tab: Tab) -> None:
    page = tab.page
    enlarge(page, 2)
    start = at(page, 150, 110)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] - 60, start[1] - 30, steps=4)
    page.mouse.up()
    wait_until(lambda: at(page, 150, 110) == pytest.approx((start[0] - 60, start[1] - 30), abs=2))
    expect(page.locator("tr.selected")).to_have_count(0)


def test_a_double_click_on_a_row_zooms_to_its_outline(tab: Tab) -> None:
    page = tab.page
    before = zoom(page)
    row(page, 1).dblclick()
    expect(page.locator(".zoom")).not_to_have_text(f"{before} %")
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    middle = (stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2)
    assert at(page, 50, 50)[0] <= middle[0] + 2  # as near to the middle as the picture's edge allows
    expect(page.get_by_text("image 1, selected 1")).to_be_visible()
    # The rerun that follows a click leaves the zoom alone.
    after = zoom(page)
    page.wait_for_timeout(300)
    assert zoom(page) == after > before


def test_contrast_swaps_the_picture_and_outlines_can_be_hidden(tab: Tab) -> None:
    page = tab.page
    raw = page.locator("img").get_attribute("src") or ""
    page.get_by_role("button", name="Contrast").click()
    expect(page.locator("img")).not_to_have_attribute("src", raw)
    page.keyboard.press("c")
    expect(page.locator("img")).to_have_attribute("src", raw)
    page.keyboard.press("o")
    expect(page.locator("svg.bare")).to_have_count(1)
    expect(page.get_by_role("button", name="Outlines")).to_have_attribute("aria-pressed", "false")


def test_arrows_ask_for_the_next_image_and_the_view_starts_anew(tab: Tab) -> None:
    page = tab.page
    fitted = zoom(page)
    page.get_by_role("button", name="Contrast").click()
    page.mouse.click(*at(page, 50, 50))
    page.keyboard.press("+")
    expect(page.get_by_text("image 1, selected 1")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("image 2, selected None")).to_be_visible()
    expect(page.locator(".zoom")).to_have_text(f"{fitted} %")
    expect(page.locator("tr.selected")).to_have_count(0)
    expect(page.get_by_role("button", name="Contrast")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("image 1, selected None")).to_be_visible()


def test_scale_bar_and_cursor_are_in_micrometres(tab: Tab) -> None:
    page = tab.page
    expect(page.locator(".scale .length")).to_have_text("100 µm")
    page.mouse.move(*at(page, 150, 110))
    page.mouse.wheel(0, -400)
    expect(page.locator(".scale .length")).to_have_text("50 µm")
    rule = page.locator(".scale .rule").bounding_box()
    picture = page.locator("img").bounding_box()
    assert rule is not None
    assert picture is not None
    assert rule["width"] == pytest.approx(50 / 2.0 * picture["width"] / 320, abs=1)
    page.mouse.move(*at(page, 100.5, 60.5))
    expect(page.locator(".cursor")).to_contain_text("x 100, y 60 px · 201, 121 µm")


def test_without_a_pixel_size_there_is_no_scale_bar(tab: Tab, server: str) -> None:
    opened(tab.page, server, "uncalibrated")
    expect(tab.page.locator(".scale")).to_be_hidden()
    expect(tab.page.get_by_text("in pixels", exact=True)).to_be_visible()
    expect(tab.page.locator("thead")).to_contain_text("px²")


def test_a_line_over_a_scale_bar_is_reported_in_image_pixels(tab: Tab) -> None:
    page = tab.page
    page.get_by_role("button", name="Calibrate").click()
    expect(page.get_by_text("Draw along the scale bar")).to_be_visible()
    drag(page, (40, 200), (140, 200))
    expect(page.get_by_text("line 100.0 px from 40, 200")).to_be_visible()
    expect(page.get_by_text("Draw along the scale bar")).to_be_hidden()
    expect(page.locator("tr.selected")).to_have_count(0)
    expect(page.locator(".ruler text")).to_have_text("100 px")


def test_shift_keeps_a_line_level_and_escape_ends_the_tool(tab: Tab) -> None:
    page = tab.page
    page.keyboard.press("l")
    page.keyboard.down("Shift")
    drag(page, (40, 200), (140, 212))
    page.keyboard.up("Shift")
    expect(page.get_by_text("line 100.0 px from 40, 200")).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_text("Draw along the scale bar")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Draw along the scale bar")).to_be_hidden()
    expect(page.get_by_role("button", name="Calibrate")).to_have_attribute("aria-pressed", "false")


def test_a_click_with_the_ruler_is_no_line_and_selects_nothing(tab: Tab) -> None:
    page = tab.page
    page.get_by_role("button", name="Calibrate").click()
    page.mouse.click(*at(page, 50, 50))
    page.wait_for_timeout(300)
    expect(page.get_by_text(re.compile("^line "))).to_have_count(0)
    expect(page.get_by_text("image 1, selected None")).to_be_visible()


def test_numbers_never_cover_each_other(tab: Tab, server: str) -> None:
    opened(tab.page, server, "many")
    for _ in range(3):
        assert overlapping_numbers(tab.page) == 0
        enlarge(tab.page, 1)
    shown = tab.page.locator(".labels text:not(.cramped)")
    assert shown.count() > 20, "zoomed in there is room for those in sight"
    tab.shot("viewer-test-many")


def test_two_results_are_compared_as_both_or_one_at_a_time(tab: Tab, server: str) -> None:
    page = tab.page
    expect(page.locator(".compared")).to_be_hidden()
    opened(page, server, "compared")
    names = page.locator(".compared button")
    expect(names).to_have_text(["Current", "Both", "Preview"])
    earlier, shown = page.locator(".before .line"), page.locator(".scene .line").first
    expect(earlier).to_be_visible()
    expect(shown).to_be_visible()
    page.get_by_role("button", name="Current").click()
    expect(earlier).to_be_visible()
    expect(shown).to_be_hidden()
    page.get_by_role("button", name="Preview").click()
    expect(earlier).to_be_hidden()
    expect(shown).to_be_visible()
    page.keyboard.press("b")
    expect(earlier).to_be_visible()
    expect(page.get_by_role("button", name="Current")).to_have_attribute("aria-pressed", "true")


def test_without_calibration_there_is_no_ruler(tab: Tab, server: str) -> None:
    opened(tab.page, server, "plain")
    expect(tab.page.get_by_role("button", name="Calibrate")).to_be_hidden()
    tab.page.keyboard.press("l")
    expect(tab.page.get_by_text("Draw along the scale bar")).to_be_hidden()


def test_an_image_without_spheroids_says_so(tab: Tab, server: str) -> None:
    opened(tab.page, server, "none")
    expect(tab.page.get_by_text("No spheroid found")).to_be_visible()
    expect(tab.page.locator("table")).to_be_hidden()


def test_a_picture_that_cannot_be_loaded_is_a_sentence(browser: Tab, server: str) -> None:
    opened(browser.page, server, "broken")
    expect(browser.page.get_by_text("The picture could not be loaded")).to_be_visible()
    expect(browser.page.locator(".stage img")).to_be_hidden()
    browser.page.get_by_role("button", name="Contrast").click()
    expect(browser.page.get_by_text("The picture could not be loaded")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_tablet_two_fingers_zoom_and_one_selects(server: str, theme: Literal["light", "dark"]) -> None:
    with browser_tab(820, 1180, theme, touch=True) as tab:
        opened(tab.page, server)
        before = zoom(tab.page)
        spread_fingers(tab.page, at(tab.page, 160, 120))
        wait_until(lambda: zoom(tab.page) == pytest.approx(before * 2, rel=0.02))
        tab.page.touchscreen.tap(*at(tab.page, 150, 110))
        expect(tab.page.get_by_text("image 1, selected 2")).to_be_visible()
        tab.shot(f"viewer-test-tablet-{theme}")
        assert tab.errors == []


def spread_fingers(page: Page, middle: tuple[float, float]) -> None:
    """Put two fingers 100 px apart on a place and move them to 200 px apart."""
    client = page.context.new_cdp_session(page)
    x, y = middle

    def touch(kind: str, *apart: float) -> None:
        points = [
            {"x": x + side * gap / 2, "y": y, "id": at} for gap in apart for at, side in enumerate((-1, 1))
        ]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 100)
    for gap in (120, 150, 180, 200):
        touch("touchMove", gap)
    touch("touchEnd")
