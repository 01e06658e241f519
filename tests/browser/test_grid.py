"""The table as a user meets it: paging, ticking, remembering, and rows that change while one looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests import corpus
from tests.browser.app import app_server, lab_in
from tests.browser.chromium import Tab, at_rest, browser_tab, still
from tests.browser.test_journey import assert_clean, grid, open_image, row_names
from tests.http.lab import disc
from tests.polling import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

N_IMAGES = 120
HOSTILE = "<img src=x onerror=window.hit=1>.png"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with 120 images in one project, half of them measured; their names count up."""
    data = tmp_path_factory.mktemp("grid") / "data"
    with lab_in(data) as lab:
        project = lab.project("Plate", um_per_px=2.0)
        for number in range(N_IMAGES):
            image = lab.image(project, f"image{number:03d}.png", corpus.png(corpus.noise(seed=number)))
            if number % 2:
                lab.measured(image, disc(1, radius=10 + number))
        lab.image(lab.project("Hostile"), HOSTILE)
    with app_server(data) as served:
        yield served


@pytest.fixture
def tab() -> Iterator[Tab]:
    with browser_tab() as opened:
        yield opened


def open_images(tab: Tab, address: str, query: str = "") -> FrameLocator:
    tab.page.goto(f"{address}/images?project=Plate{query}")
    expect(row_names(tab.page).first).to_be_visible()
    return grid(tab.page)


def shows(page: Page, rows: str) -> None:
    """Wait until the pager says which rows are shown: “1 to 50 of 120”."""
    panel = grid(page).locator(".ag-paging-row-summary-panel")
    expect(panel).to_have_text(rows, use_inner_text=True)


def right_edge(part: Locator) -> float:
    box = part.bounding_box()
    assert box
    return box["x"] + box["width"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_column_is_whole_on_a_laptop(theme: Literal["light", "dark"], address: str) -> None:
    with browser_tab(1280, 800, theme) as tab:
        frame = open_images(tab, address)
        last = frame.locator(".ag-header-cell[col-id=created]")
        table = frame.locator(".ag-root-wrapper")
        wait_until(
            lambda: right_edge(last) <= right_edge(table), what="columns that fit"
        )  # fitted once drawn


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_eight_rows_and_the_pager_are_in_sight_on_a_laptop(
    theme: Literal["light", "dark"], address: str
) -> None:
    with browser_tab(1280, 800, theme) as tab:
        frame = open_images(tab, address)
        expect(frame.locator(".ag-row .opens").nth(8)).to_have_text("image111.png")
        rows = frame.locator(".ag-center-cols-container .ag-row")
        still(frame.locator(".ag-paging-panel"))
        pager = frame.locator(".ag-paging-panel").bounding_box()  # in the page's pixels
        assert pager
        assert pager["y"] + pager["height"] <= 800
        boxes = [box for row in rows.all() if (box := row.bounding_box())]
        assert sum(box["y"] + box["height"] <= pager["y"] for box in boxes) >= 8
        tab.shot(f"grid-{theme}")
        assert_clean(tab)


def test_the_rest_of_a_page_is_drawn_while_the_browser_is_idle(tab: Tab, address: str) -> None:
    table = open_images(tab, address)
    rows = table.locator(".ag-center-cols-container .ag-row")
    expect(rows).to_have_count(50)
    frame = next(frame for frame in tab.page.frames if "AgGrid" in frame.url)
    ahead = frame.evaluate("""() => {
      document.querySelector('[aria-label="Next Page"]').click();
      const {buffer, usual} = window.table.ahead;
      return {buffer, usual};
    }""")
    assert ahead["buffer"] == ahead["usual"], "another page begins with the rows in sight"
    expect(table.locator(".ag-row .opens").first).to_have_text("image069.png")
    expect(rows).to_have_count(50)
    assert_clean(tab)


def test_ticks_survive_paging_and_are_counted_in_words(tab: Tab, address: str) -> None:
    frame = open_images(tab, address)
    frame.locator(".ag-row .ag-checkbox-input").first.check()
    expect(tab.page.get_by_text("1 image selected")).to_be_visible()
    frame.locator("[aria-label='Next Page']").click()
    expect(frame.locator(".ag-row .opens").first).to_have_text("image069.png")
    frame.locator(".ag-row .ag-checkbox-input").first.check()
    expect(tab.page.get_by_text("2 images selected")).to_be_visible()
    frame.locator("[aria-label='First Page']").click()
    expect(frame.locator(".ag-row .ag-checkbox-input").first).to_be_checked()
    assert_clean(tab)


def test_select_all_means_every_page_of_the_filter(tab: Tab, address: str) -> None:
    frame = open_images(tab, address, "&name=image0")
    frame.locator("input.all").check()
    expect(tab.page.get_by_text("100 images selected, all on this filter")).to_be_visible()
    frame.locator("[aria-label='Last Page']").click()
    expect(frame.locator(".ag-row .opens").first).to_have_text("image049.png")
    expect(frame.locator(".ag-row .ag-checkbox-input").first).to_be_checked()
    frame.locator(".ag-row .ag-checkbox-input").first.uncheck()
    expect(tab.page.get_by_text("99 images selected, all on this filter but 1")).to_be_visible()
    tab.page.get_by_text("Filter", exact=True).click()
    tab.page.get_by_label("Name contains").fill("image1")
    tab.page.get_by_label("Name contains").press("Enter")
    expect(tab.page.get_by_text("All 20 images on this filter")).to_be_visible()
    expect(frame.locator("input.all")).not_to_be_checked()
    assert_clean(tab)


def test_columns_and_page_size_are_remembered_and_the_place_is_found_again(tab: Tab, address: str) -> None:
    frame = open_images(tab, address)
    frame.locator(".tools summary").click()
    expect(frame.get_by_label("Confidence")).to_be_checked()  # the menu says what is shown once it is open
    frame.get_by_label("Confidence").uncheck()
    expect(frame.locator(".ag-header-cell[col-id=confidence]")).to_have_count(0)
    frame.locator(".ag-paging-page-size .ag-picker-field-wrapper").click()
    frame.get_by_role("option", name="25").click()
    frame.locator(".ag-header-cell[col-id=name]").click()
    expect(frame.locator(".ag-row .opens").first).to_have_text("image000.png")
    frame.get_by_label("Go to page").fill("3")
    frame.get_by_label("Go to page").press("Enter")
    expect(frame.locator(".ag-row .opens").first).to_have_text("image050.png")
    wait_until(lambda: place(tab.page) == {"page": "3", "rows": "25", "sort": "name"}, 30)
    tab.page.reload()
    expect(row_names(tab.page).first).to_have_text("image050.png")
    shows(tab.page, "51 to 75 of 120")
    expect(grid(tab.page).locator(".ag-header-cell[col-id=confidence]")).to_have_count(0)
    tab.page.get_by_text("Filter", exact=True).click()
    tab.page.get_by_label("Name contains").fill("image0")
    tab.page.get_by_label("Name contains").press("Enter")
    expect(tab.page.get_by_text("All 100 images on this filter")).to_be_visible()
    expect(row_names(tab.page).first).to_have_text("image000.png")
    wait_until(lambda: place(tab.page) == {"rows": "25", "sort": "name"}, 30)
    assert_clean(tab)


def test_an_address_opens_the_same_rows_elsewhere_and_back_leads_to_them(tab: Tab, address: str) -> None:
    frame = open_images(tab, address, "&name=image0&sort=name&page=2&rows=25")
    expect(row_names(tab.page).first).to_have_text("image025.png")
    shows(tab.page, "26 to 50 of 100")
    open_image(tab.page, "image027.png")
    tab.page.go_back()
    expect(row_names(tab.page).first).to_have_text("image025.png")
    expect(tab.page.get_by_text("All 100 images on this filter")).to_be_visible()
    wait_until(lambda: place(tab.page) == {"page": "2", "rows": "25", "sort": "name"}, 30)
    link = frame.locator(".ag-row .opens a").first
    expect(link).to_have_attribute("href", re.compile(f"^{re.escape(address)}/image[?]image="))
    open_image(tab.page, "image027.png")
    expect(tab.page.get_by_text("28 of 100 on this filter")).to_be_visible()
    tab.page.get_by_text("Back to the filtered images").click()
    expect(row_names(tab.page).first).to_have_text("image025.png")
    expect(tab.page.get_by_text("All 100 images on this filter")).to_be_visible()
    open_images(tab, address, "&page=9&sort=bogus&rows=7")
    shows(tab.page, "101 to 120 of 120")  # beyond the end is the last page
    wait_until(lambda: place(tab.page) == {"page": "3"}, 30)
    assert_clean(tab)


def test_a_click_on_a_name_opens_one_page_and_no_tab(tab: Tab, address: str) -> None:
    open_images(tab, address)
    row_names(tab.page).get_by_text("image119.png", exact=True).dblclick()
    expect(tab.page.get_by_role("heading", name="image119.png")).to_be_visible()
    expect(tab.page).to_have_title("image119 · Plate · Spheroscope")
    assert len(tab.page.context.pages) == 1
    tab.page.go_back()
    expect(row_names(tab.page).first).to_have_text("image119.png")
    expect(tab.page).to_have_title("Images · Plate · Spheroscope")
    tab.page.go_forward()
    expect(tab.page.get_by_role("heading", name="image119.png")).to_be_visible()
    with tab.page.context.expect_page() as opened:
        tab.page.go_back()
        row_names(tab.page).get_by_text("image119.png", exact=True).click(modifiers=["Control"])
    expect(opened.value.get_by_role("heading", name="image119.png")).to_be_visible()
    expect(row_names(tab.page).first).to_be_visible()
    assert_clean(tab)


def test_an_address_without_an_order_has_the_usual_one_whatever_was_looked_at_before(
    tab: Tab, address: str
) -> None:
    frame = open_images(tab, address)
    frame.locator(".ag-header-cell[col-id=name]").click()
    expect(frame.locator(".ag-row .opens").first).to_have_text("image000.png")
    tab.page.get_by_role("link", name="Queue").click()
    expect(tab.page.get_by_role("heading", name="Queue", exact=True)).to_be_visible()
    tab.page.get_by_role("link", name="Images").click()
    expect(row_names(tab.page).first).to_have_text("image000.png")
    open_images(tab, address)
    expect(row_names(tab.page).first).to_have_text("image119.png")
    assert_clean(tab)


def test_the_list_that_an_image_was_opened_from_stays_as_it_was_entered(tab: Tab, address: str) -> None:
    open_images(tab, address, "&status=not+segmented&name=image10")
    open_image(tab.page, "image104.png")
    expect(tab.page.get_by_text("3 of 5 on this filter")).to_be_visible()
    tab.page.get_by_role("button", name="Segment").click()
    expect(tab.page.get_by_role("button", name="Re-segment")).to_be_enabled(timeout=120_000)
    expect(tab.page.get_by_text("3 of 5 on this filter")).to_be_visible()
    tab.page.get_by_role("button", name="Next").click()
    expect(tab.page.get_by_role("heading", name="image102.png")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_text("4 of 5 on this filter")).to_be_visible()
    tab.page.get_by_text("Back to the filtered images").click()
    expect(tab.page.get_by_text("All 4 images on this filter")).to_be_visible()
    assert_clean(tab)


def test_filters_by_what_was_found_have_counts_and_can_be_cleared(tab: Tab, address: str) -> None:
    open_images(tab, address, "&name=image09")
    page = tab.page
    several = page.get_by_role("checkbox", name="several found (0)")
    page.get_by_text("several found (0)").click()
    expect(several).to_be_checked()
    expect(grid(page).get_by_text("Nothing here")).to_be_visible()
    expect(page.get_by_text("0 images on this filter")).to_be_visible()
    expect(page).to_have_url(re.compile("several_found=true"))
    tab.shot("grid-nothing-passes")
    page.get_by_role("button", name="Clear filter").click()
    expect(page.get_by_text("All 120 images", exact=True)).to_be_visible()
    expect(several).not_to_be_checked()
    shows(page, "1 to 50 of 120")
    expect(page).not_to_have_url(re.compile("several_found|name="))
    assert_clean(tab)


def place(page: Page) -> dict[str, str]:
    """What the address says of the table."""
    page.wait_for_timeout(500)
    query = dict(parse_qsl(urlsplit(page.url).query))
    return {name: query[name] for name in ("page", "rows", "sort") if name in query}


def test_a_filter_in_a_header_goes_to_the_database_and_into_the_address(tab: Tab, address: str) -> None:
    frame = open_images(tab, address)
    frame.locator(".ag-header-cell[col-id=diameter] .ag-header-cell-filter-button").click()
    least, most = (frame.locator(".ag-filter input[type=number]").nth(place) for place in (0, 1))
    least.fill("400")
    most.fill("480")
    frame.locator(".ag-filter-apply-panel-button").click()
    sentence = "Showing only: Ø largest at least 400 µm, Ø largest at most 480 µm"
    expect(tab.page.get_by_text(sentence)).to_be_visible()
    expect(tab.page.get_by_text("All 10 images on this filter")).to_be_visible()
    tab.page.reload()
    expect(tab.page.get_by_text(sentence)).to_be_visible()
    expect(row_names(tab.page).first).to_have_text("image109.png")
    # Radius 10 + 109 px at 2 µm/px.
    expect(grid(tab.page).locator(".ag-cell[col-id=diameter]").first).to_have_text("476 µm")
    assert_clean(tab)


def test_the_keyboard_moves_ticks_and_opens(tab: Tab, address: str) -> None:
    frame = open_images(tab, address)
    frame.locator(".ag-row[row-index='0'] [col-id=status]").click()
    page = tab.page
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 image selected")).to_be_visible()
    name = frame.locator(".ag-row[row-index='1'] .opens").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_rows_change_in_place_when_a_job_ends(tab: Tab, address: str) -> None:
    frame = open_images(tab, address, "&name=image118")
    row = frame.locator(".ag-row").first
    expect(row.locator("[col-id=status]")).to_contain_text("not segmented")
    row.evaluate("row => { row.mark = 1; }")
    row.locator(".ag-checkbox-input").check()
    expect(tab.page.get_by_text("1 image selected")).to_be_visible()
    tab.page.get_by_role("button", name="Segment", exact=True).click()
    expect(row.locator("[col-id=status]")).to_contain_text("done", timeout=120_000)
    assert row.evaluate("row => row.mark") == 1, "the row was drawn anew"
    expect(row.locator(".ag-checkbox-input")).to_be_checked()
    assert_clean(tab)


def test_a_point_of_the_chart_leads_to_its_outline(tab: Tab, address: str) -> None:
    tab.page.goto(f"{address}/measurements?project=Plate&name=image001")
    expect(row_names(tab.page).first).to_have_text("image001.png")
    assert grid(tab.page).locator(".tools a").get_attribute("href").startswith("/downloads/")
    point = tab.page.locator(".scatterlayer .point").first
    expect(point).to_be_visible()
    at_rest(tab.page)
    still(point)  # the chart is drawn anew once it knows its width
    box = point.bounding_box()
    assert box
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(tab.page.get_by_role("heading", name="image001.png")).to_be_visible()
    expect(tab.page).to_have_url(re.compile("spheroid=1"))
    assert_clean(tab)


def test_names_and_filters_are_only_text(tab: Tab, address: str) -> None:
    tab.page.goto(f"{address}/images?project=Hostile")
    expect(row_names(tab.page).first).to_have_text(HOSTILE)
    open_images(tab, address, "&name=image00")
    tab.page.goto(f"{address}/images?project=Plate&name=::JSCODE::(window.hit=1)::JSCODE::")
    expect(grid(tab.page).get_by_text("Nothing here")).to_be_visible()
    assert [frame.evaluate("window.hit") for frame in tab.page.frames] == [None] * len(tab.page.frames)
    assert_clean(tab)
