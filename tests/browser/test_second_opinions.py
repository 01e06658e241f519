"""Two people, one image: one judges its outlines, the other draws it without having seen them."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.accounts import Level, Role
from core.models import ReviewSettings
from core.services import Services
from core.settings import Settings
from tests.accounts.conftest import PASSWORD
from tests.browser.chromium import ROOT, at_rest, browser_tab, streamlit_server
from tests.browser.editing import DISCS, Scene, drag, made_scene
from tests.polling import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHOWING = ("/corrections", "/objects", "/overlay", "/thumbs", "/mask")  # addresses that show an outline


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """An image with three outlines, which Ana and Bo may change, and which is to be drawn a second time."""
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AUTH", "local")
    made = made_scene(tmp_path / "data")
    services = Services.open(Settings(data=tmp_path / "data", auth="local"))
    access = services.access
    services.store.projects.set_review(made.project_id, ReviewSettings(second_opinions=1))
    for name, role, level in (("Ana", Role.ADMIN, Level.OWN), ("Bo", Role.MEMBER, Level.EDIT)):
        account = access.accounts.create(name, role, access.passwords.hash(PASSWORD))
        access.members.set_level(made.project_id, account.id, level)
    services.close()
    return made


@pytest.fixture
def server(scene: Scene) -> Iterator[str]:
    with streamlit_server(ROOT / "app.py") as address:
        yield address


def sign_in(page: Page, server: str, name: str) -> None:
    page.goto(f"{server}/access/sign-in")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1, name="Projects")).to_be_visible()


def draw_round(page: Page, x: float, y: float, radius: float) -> None:
    """Draw round a spheroid as a hand does, a little too large."""
    turns = [2 * pi * step / 16 for step in range(17)]
    drag(page, *((x + 1.03 * radius * cos(turn), y + 1.03 * radius * sin(turn)) for turn in turns))


def objects(page: Page) -> Any:
    return page.locator(".stage .object")


def test_one_judges_and_the_other_draws_without_seeing_the_outlines(scene: Scene, server: str) -> None:
    review = f"{server}/review?project={scene.project_id}"
    with browser_tab() as tab:
        page = tab.page
        sign_in(page, server, "Ana")
        page.goto(review)
        expect(page.locator(".review")).to_contain_text("0 of 1 reviewed")
        expect(objects(page)).to_have_count(3)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="The image is reviewed")).to_be_visible()
        expect(page.get_by_text("1 image waits to be drawn by somebody else")).to_be_visible()
        assert tab.errors == []
    with browser_tab() as tab:
        page = tab.page
        sign_in(page, server, "Bo")
        page.goto(review)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.get_by_role("button", name="Draw 1 image a second time").click()
        nothing_is_shown(page)
        tab.shot("second-opinion-empty")
        nothing_is_done_by_accident(page)
        everything_is_drawn(page)
        tab.shot("second-opinion-drawn")
        page.get_by_role("button", name="Done", exact=True).click()
        expect(page.get_by_role("heading", name="All are drawn")).to_be_visible()
        assert not [url for url in requests if any(part in url for part in SHOWING)]
        stored_beside_the_result(page, server, scene)
        page.goto(f"{server}/images?project={scene.project_id}")
        page.get_by_role("button", name="Accuracy").click()
        expect(page.get_by_text("1 image was drawn by a second person: too few to say")).to_be_visible()
        tab.shot("second-opinion-accuracy")
        assert tab.errors == []


def nothing_is_shown(page: Page) -> None:
    """The editor is open on the picture alone, without the tool that a network answers."""
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
    expect(page.get_by_text("the outlines are hidden")).to_be_visible()
    expect(page.locator(".message")).to_be_hidden()
    at_rest(page)
    expect(objects(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Click", exact=True)).to_be_hidden()


def everything_is_drawn(page: Page) -> None:
    """Draw three spheroids; a reload loses none, and the last line can be taken back after it."""
    draw_round(page, *DISCS[0])
    expect(objects(page)).to_have_count(1)
    draw_round(page, *DISCS[1])
    expect(objects(page)).to_have_count(2)
    page.reload()
    expect(objects(page)).to_have_count(2)
    at_rest(page)
    page.keyboard.press("Control+z")
    expect(objects(page)).to_have_count(1)
    draw_round(page, *DISCS[1])
    draw_round(page, *DISCS[2])
    expect(objects(page)).to_have_count(3)


def stored_beside_the_result(page: Page, server: str, scene: Scene) -> None:
    """The drawing is compared with the result, which is as it was."""
    address = f"{server}/api/projects/{scene.project_id}/second-opinions"
    (drawing,) = page.request.get(address).json()["drawings"]
    assert (drawing["judged_by"], drawing["drawn_by"], drawing["same_person"]) == ("Ana", "Bo", False)
    assert (drawing["n_drawn"], drawing["n_either"]) == (3, 3)
    assert min(drawing["ious"]) > 0.85
    assert drawing["seconds"] > 0
    image = page.request.get(f"{server}/api/images/{scene.image_id}/versions").json()
    assert [version["id"] for version in image["versions"]] == [scene.version_id]


def nothing_is_done_by_accident(page: Page) -> None:
    """Done on an empty picture asks first; the key of the tool that knows the engine does nothing."""
    questions: list[str] = []

    def dismissed(dialog: Any) -> None:
        questions.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", dismissed)
    page.get_by_role("button", name="Done", exact=True).click()
    wait_until(lambda: page.wait_for_timeout(50) or questions, what="the question")
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
    assert questions == ["You have drawn nothing. Is there no spheroid in this image?"]
    page.keyboard.press("a")
    expect(page.locator(".stage")).to_have_attribute("data-tool", "draw")
