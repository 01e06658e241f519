"""Every page with the keyboard alone and for a screen reader: axe-core's rules, headings, focus, keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from core.accounts import Role
from core.services import Services
from core.settings import Settings
from tests import corpus
from tests.accounts.conftest import PASSWORD
from tests.browser.app import app_server, lab_in
from tests.browser.chromium import Tab, at_rest, browser_tab
from tests.browser.test_journey import assert_clean, grid, row_names
from tests.http.lab import disc
from tests.polling import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HEADINGS = {
    "": "Projects",
    "images": "Melanoma",
    "image": "C12.png",
    "measurements": "Melanoma",
    "queue": "Queue",
    "performance": "Performance",
    "throughput": "Throughput",
    "health": "Health",
    "settings": "Settings",
    "trash": "Trash",
    "help": "From images to a table in ten minutes",
}
OF_ACCOUNTS = {"people": "People", "audit": "Audit", "account": "Your account"}
BAD = ("serious", "critical")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with a project of 36 images, most of them measured."""
    data = tmp_path_factory.mktemp("accessibility") / "data"
    with lab_in(data) as lab:
        project = lab.project("Melanoma", um_per_px=1.36)
        for place in range(36):
            name = f"{'ABC'[place // 12]}{place % 12 + 1:02d}.png"
            image = lab.image(project, name, corpus.png(corpus.noise(seed=place)))
            if place % 5:
                lab.measured(image, *(disc(number + 1, radius=20 + place) for number in range(place % 3)))
    with app_server(data) as served:
        yield served


def opened(tab: Tab, address: str, page: str) -> Page:
    tab.page.goto(f"{address}/{page}?project=Melanoma")
    heading = (HEADINGS | OF_ACCOUNTS)[page]
    expect(tab.page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    if page in ("images", "measurements"):
        expect(row_names(tab.page).first).to_be_visible()
    at_rest(tab.page)
    expect(tab.page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(tab.page.locator("dialog dt").first).to_be_attached()  # keys are listened to
    return tab.page


def violations(page: Page) -> list[str]:
    """What axe-core finds on a page that keeps somebody from using it, with where it is."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{item['id']} ({item['impact']}): {node['html'][:160]}"
        for item in found
        if item["impact"] in BAD
        for node in item["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_violation_and_headings_are_in_order(
    theme: Literal["light", "dark"], address: str
) -> None:
    with browser_tab(1280, 800, theme, zone="Europe/Berlin") as tab:
        broken = {name: problems(tab, opened(tab, address, name), name, theme) for name in HEADINGS}
    assert {name: found for name, found in broken.items() if found} == {}


@pytest.fixture(scope="module")
def address_with_accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app with the account of an admin."""
    data = tmp_path_factory.mktemp("accounts") / "data"
    services = Services.open(Settings(data=data, auth="local"))
    access = services.access
    access.accounts.create("Ana", Role.ADMIN, access.passwords.hash(PASSWORD))
    services.close()
    with app_server(data, AUTH="local") as served:
        yield served


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_accounts_are_as_good(
    theme: Literal["light", "dark"], address_with_accounts: str
) -> None:
    address = address_with_accounts
    with browser_tab(1280, 800, theme) as tab:
        tab.page.goto(f"{address}/access/sign-in")
        broken = {"sign in": violations(tab.page)}
        tab.page.fill("[name=name]", "Ana")
        tab.page.fill("[name=password]", PASSWORD)
        tab.page.get_by_role("button").click()
        expect(tab.page.get_by_role("heading", level=1, name="Projects")).to_be_visible()
        for name in OF_ACCOUNTS:
            broken[name] = problems(tab, opened(tab, address, name), name, theme)
    assert {name: found for name, found in broken.items() if found} == {}


def problems(tab: Tab, page: Page, name: str, theme: str) -> list[str]:
    """What is wrong with a page: violations, and headings that skip a level or are not under one title."""
    tab.shot(f"page-{name or 'projects'}-{theme}")
    levels = page.evaluate("""[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
        .filter(item => item.checkVisibility()).map(item => Number(item.tagName[1]))""")
    skipped = [b for a, b in zip([0, *levels], levels, strict=False) if b > a + 1]
    wrong = [f"headings {levels}"] if skipped or levels.count(1) != 1 else []
    return wrong + violations(page)


def focused(page: Page) -> str:
    """“row 0” where a cell of the table's first row has the focus, else what has it.

    The table hands the focus on to a row after the event: until then this is empty.
    """
    return str(
        page.evaluate("""() => {
          let place = document.activeElement;
          if (place.tagName === 'IFRAME') { place = place.contentDocument.activeElement; }
          if (place.matches('body, .ag-tab-guard')) { return ''; }
          const row = place.closest('.ag-row');
          return row ? 'row ' + row.getAttribute('row-index') : place.tagName;
        }""")
    )


def test_tab_reaches_the_first_row_and_leaves_it(address: str) -> None:
    with browser_tab() as tab:
        page = opened(tab, address, "images")
        stops = 0
        while focused(page) != "row 0" and stops < 6:
            page.keyboard.press("Tab")
            wait_until(lambda: focused(page), what="something to have the focus")
            stops += 1
        assert stops <= 5
        tab.shot("keys-first-row")
        page.keyboard.press("Tab")
        assert not focused(page).startswith("row")
        page.keyboard.press("Shift+Tab")
        wait_until(lambda: focused(page) == "row 0")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="C11.png")).to_be_visible()
        assert_clean(tab)


def test_arrows_work_wherever_the_focus_is_but_in_fields(address: str) -> None:
    with browser_tab() as tab:
        page = opened(tab, address, "images")
        page.get_by_role("button", name="Export").focus()
        page.keyboard.press("ArrowDown")
        wait_until(lambda: focused(page) == "row 0")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1, name="C12.png")).to_be_visible()
        expect(page.locator(".zoom")).not_to_be_empty()  # the viewer listens to keys once it has drawn
        page.get_by_role("button", name="Next").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", level=1, name="C11.png")).to_be_visible()
        page.get_by_role("combobox", name="Project").focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(500)
        expect(page.get_by_role("heading", level=1, name="C11.png")).to_be_visible()
        assert_clean(tab)


def test_a_question_mark_lists_the_keys_of_the_page(address: str) -> None:
    with browser_tab() as tab:
        page = opened(tab, address, "images")
        grid(page).locator(".ag-row[row-index='0'] [col-id=status]").click()
        page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keys of this page")
        expect(keys).to_contain_text("Open what the row is about")
        tab.shot("keys-listed")
        page.keyboard.press("Escape")
        expect(keys).to_be_hidden()
        opened(tab, address, "image")
        expect(page.get_by_text("Loading…")).to_be_hidden()
        page.get_by_role("button", name="Next").focus()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys of this page")).to_contain_text(
            "Previous image, next image"
        )
        assert_clean(tab)


def is_within(part: Locator, whole: Locator) -> bool:
    """Whether no side of a part of the page is cut off by that of another."""
    inner, outer = part.bounding_box(), whole.bounding_box()
    assert inner
    assert outer
    return outer["x"] <= inner["x"] and inner["x"] + inner["width"] <= outer["x"] + outer["width"]


def test_the_sorted_column_is_in_sight_on_a_tablet(address: str) -> None:
    with browser_tab(1024, 768) as tab:
        page = opened(tab, address, "images")
        header = grid(page).locator(".ag-header-cell[col-id=created]")
        table = grid(page).locator(".ag-root-wrapper")
        wait_until(lambda: is_within(header, table), what="the sorted column to be scrolled into sight")
        expect(grid(page).locator(".ag-header-cell[col-id=name]")).to_be_in_viewport()
        tab.shot("keys-tablet")
        assert_clean(tab)
