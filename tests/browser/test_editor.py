"""Correcting outlines as a biologist does, with mouse and finger; nothing that was drawn gets lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from core.ui.format import three_digits
from tests.browser.app import app_server, lab_in
from tests.browser.chromium import Tab, browser_tab
from tests.browser.editing import (
    Scene,
    added_scene,
    at,
    discs,
    drag,
    labels_of_state,
    made_scene,
    opened,
    saved,
    state,
    touch_drag,
)
from tests.servers import free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]
UM_PER_PX = 2.0
MOST_TESTS = 30  # of this file


@dataclass
class SharedApp:
    """An app with the same image in many projects, each for one test."""

    address: str
    scenes: list[Scene]


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedApp]:
    data = tmp_path_factory.mktemp("editor") / "data"
    with lab_in(data) as lab:
        scenes = [added_scene(lab, f"Plate {number}", discs()) for number in range(MOST_TESTS)]
    with app_server(data) as address:
        yield SharedApp(address, scenes)


@pytest.fixture
def scene(shared_app: SharedApp) -> Scene:
    """An image that no other test has touched."""
    return shared_app.scenes.pop()


@pytest.fixture
def server(shared_app: SharedApp) -> str:
    return shared_app.address


@pytest.fixture
def tab(scene: Scene, server: str) -> Iterator[Tab]:
    """The editor on the image; whatever the test does, nothing may be logged as an error."""
    with browser_tab() as opened_tab:
        opened(opened_tab.page, scene, server)
        yield opened_tab
        assert opened_tab.errors == []


def cell(page: Page, number: int, column: int = 1) -> Locator:
    return page.locator(f"tbody tr[data-number='{number}'] td").nth(column)


def diameter(labels: Any, number: int) -> str:
    """What the table has to show of a spheroid, from the pixels that the server has."""
    area = float((labels == number).sum())
    return three_digits(2 * (area / np.pi) ** 0.5 * UM_PER_PX)


def numbers(page: Page) -> Locator:
    return page.locator("tbody tr td:first-child")


def test_draw_cut_merge_and_undo_with_the_mouse_give_back_numbers(
    tab: Tab, scene: Scene, server: str
) -> None:
    page = tab.page
    before = cell(page, 1).inner_text()
    drag(page, (110, 120), (110, 190))
    saved(page)
    labels = labels_of_state(state(scene, server))
    assert (labels == 1).sum() > (discs() == 1).sum()
    expect(cell(page, 1)).to_have_text(diameter(labels, 1))
    expect(cell(page, 1)).to_have_attribute("title", f"Before the correction: {before}")

    page.keyboard.press("d")
    drag(page, (60, 250), (140, 250), (140, 320), (60, 320), (60, 255))
    saved(page)
    expect(numbers(page)).to_have_text(["1", "2", "3", "4"])
    labels = labels_of_state(state(scene, server))
    expect(cell(page, 4)).to_have_text(diameter(labels, 4))

    page.keyboard.press("k")
    drag(page, (48, 285), (170, 285))
    saved(page)
    expect(numbers(page)).to_have_text(["1", "2", "3", "4", "5"])

    page.keyboard.press("m")
    drag(page, (110, 120), (210, 120))
    saved(page)
    expect(numbers(page)).to_have_text(["1", "3", "4", "5"])
    merged = labels_of_state(state(scene, server))
    expect(cell(page, 1)).to_have_text(diameter(merged, 1))

    for _ in range(4):
        page.keyboard.press("Control+z")
        saved(page)
    expect(numbers(page)).to_have_text(["1", "2", "3"])
    expect(cell(page, 1)).to_have_text(before)
    assert np.array_equal(labels_of_state(state(scene, server)), discs())
    for _ in range(4):
        page.keyboard.press("Control+Shift+z")
        saved(page)
    assert np.array_equal(labels_of_state(state(scene, server)), merged)
    tab.shot("editor")


def test_erase_fill_delete_and_click(tab: Tab, scene: Scene, server: str) -> None:
    page = tab.page
    page.keyboard.down("Shift")
    drag(page, (60, 120), (75, 120))
    page.keyboard.up("Shift")
    saved(page)
    assert (labels_of_state(state(scene, server)) == 1).sum() < (discs() == 1).sum()
    page.keyboard.press("h")
    page.mouse.click(*at(page, 330, 240))
    saved(page)
    assert labels_of_state(state(scene, server))[240, 360] == 3, "the hole is filled"
    page.get_by_role("button", name="Delete").click()
    drag(page, (110, 120), (215, 120))
    saved(page)
    expect(numbers(page)).to_have_text(["3"])
    page.keyboard.press("a")
    page.mouse.click(*at(page, 210, 120))
    saved(page)
    expect(numbers(page)).to_have_text(["3", "4"])
    grown = labels_of_state(state(scene, server)) == 4
    overlap = (grown & (discs() == 2)).sum() / (grown | (discs() == 2)).sum()
    assert overlap > 0.9, "the click has found the spheroid that was deleted"
    assert [
        entry for entry in ("brush", "erase") if page.locator(f"[data-edit-tool={entry}]").is_hidden()
    ] == []


def test_bend_pulls_the_outline_that_is_grabbed_and_leaves_the_rest(
    tab: Tab, scene: Scene, server: str
) -> None:
    page = tab.page
    before = discs()
    page.keyboard.press("v")
    drag(page, (110, 165), (110, 190))  # the lower edge of the first spheroid, downwards
    saved(page)
    after = labels_of_state(state(scene, server))
    assert after[183, 110] == 1, "the outline follows the pointer"
    assert np.array_equal(after[:120], before[:120]), "what is further off stays as it is"
    assert np.array_equal(after == 2, before == 2)
    assert np.array_equal(after == 3, before == 3)
    expect(cell(page, 1)).to_have_text(diameter(after, 1))

    drag(page, (110, 190), (110, 165))  # it is selected now, and is pulled back
    saved(page)
    back = labels_of_state(state(scene, server)) == 1
    assert back[183, 110] == 0
    assert (back & (before == 1)).sum() / (back | (before == 1)).sum() > 0.97

    drag(page, (300, 60), (320, 80))  # there is no outline here
    saved(page)
    assert np.array_equal(labels_of_state(state(scene, server)) == 1, back)
    for _ in range(2):
        page.keyboard.press("Control+z")
        saved(page)
    assert np.array_equal(labels_of_state(state(scene, server)), before)


def test_a_finger_draws_cuts_and_two_fingers_zoom(scene: Scene, server: str) -> None:
    with browser_tab(1024, 768, touch=True) as tab:
        page = tab.page
        opened(page, scene, server)
        touch_drag(page, (360, 240), (360, 340))
        saved(page)
        labels = labels_of_state(state(scene, server))
        assert (labels == 3).sum() > (discs() == 3).sum()
        expect(cell(page, 3)).to_have_text(diameter(labels, 3))
        page.get_by_role("button", name="Cut").tap()
        expect(page.locator(".tools [aria-pressed=true]")).to_have_attribute("data-edit-tool", "cut")
        touch_drag(page, (210, 60), (210, 180))
        saved(page)
        expect(numbers(page)).to_have_text(["1", "2", "3", "4"])
        page.get_by_role("button", name="Undo").tap()
        saved(page)
        expect(numbers(page)).to_have_text(["1", "2", "3"])
        page.get_by_role("button", name="Draw").tap()
        touch_drag(page, (60, 250), (140, 250), (140, 320), (60, 320), (60, 255))
        saved(page)
        expect(numbers(page)).to_have_text(["1", "2", "3", "5"])
        page.get_by_role("button", name="Merge").tap()
        touch_drag(page, (110, 120), (210, 120))
        saved(page)
        expect(numbers(page)).to_have_text(["1", "3", "5"])
        zoom, revision = page.locator(".zoom").text_content() or "", state(scene, server)["revision"]
        _pinch(page, at(page, 240, 180))
        expect(page.locator(".zoom")).not_to_have_text(zoom)
        assert state(scene, server)["revision"] == revision, "two fingers draw nothing"
        tab.shot("editor-tablet")
        assert tab.errors == []


def test_a_finger_clicks_takes_away_and_splits(tmp_path: Path) -> None:
    grown = discs()
    grown[75:165, 300:345] = 4  # an outline of nothing, wide of every spheroid
    picture_labels = discs()
    scene = made_scene(tmp_path / "data", grown, picture_labels)
    with (
        app_server(tmp_path / "data") as server,
        browser_tab(1024, 768, touch=True) as tab,
    ):
        page = tab.page
        opened(page, scene, server)
        ways = page.get_by_role("group", name="What a click does")
        expect(ways).to_be_hidden()
        page.get_by_role("button", name="Click").tap()
        add, away, split = (ways.get_by_role("button", name=name) for name in ("add", "take away", "split"))
        expect(add).to_have_attribute("aria-pressed", "true")
        for button in (add, away, split):
            box = button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
        tab.shot("editor-ways-tablet")
        away.tap()
        expect(away).to_have_attribute("aria-pressed", "true")
        page.touchscreen.tap(*at(page, 322, 120))
        saved(page)
        expect(numbers(page)).to_have_text(["1", "2", "3"])
        split.tap()
        page.touchscreen.tap(*at(page, 190, 120))
        page.touchscreen.tap(*at(page, 230, 120))
        saved(page)
        expect(numbers(page)).to_have_text(["1", "2", "3", "5"])
        page.get_by_role("button", name="Brush").tap()
        expect(ways).to_be_hidden()
        assert tab.errors == []


def _pinch(page: Page, middle: tuple[float, float]) -> None:
    client = page.context.new_cdp_session(page)
    x, y = middle
    for kind, reach in [("touchStart", 20), *[("touchMove", 20 + 10 * step) for step in range(1, 6)]]:
        places = [{"x": x - reach, "y": y, "id": 1}, {"x": x + reach, "y": y, "id": 2}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    client.detach()


def test_a_reload_in_the_middle_keeps_the_correction_and_its_steps(
    tab: Tab, scene: Scene, server: str
) -> None:
    page = tab.page
    drag(page, (110, 120), (110, 190))
    drag(page, (210, 120), (210, 60))
    saved(page)
    drawn = labels_of_state(state(scene, server))
    page.reload()
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
    saved(page)
    expect(cell(page, 2)).to_have_text(diameter(drawn, 2))
    page.locator(".stage").focus()
    page.keyboard.press("Control+z")
    saved(page)
    expect(cell(page, 2)).to_have_text(diameter(discs(), 2))
    page.keyboard.press("Control+z")
    saved(page)
    assert np.array_equal(labels_of_state(state(scene, server)), discs())
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+y")
    saved(page)
    assert np.array_equal(labels_of_state(state(scene, server)), drawn)


def test_what_is_drawn_while_the_server_is_gone_is_stored_once_it_is_back(tmp_path: Path) -> None:
    scene, port = made_scene(tmp_path / "data"), free_port()
    with browser_tab() as tab, ExitStack() as running:
        page = tab.page
        first = running.enter_context(ExitStack())
        server = first.enter_context(app_server(tmp_path / "data", port=port))
        opened(page, scene, server)
        drag(page, (110, 120), (110, 190))
        saved(page)
        stored = labels_of_state(state(scene, server))
        first.close()  # killed
        drag(page, (210, 120), (210, 60))
        drag(page, (360, 240), (430, 240))
        expect(page.locator(".saved")).to_have_text("2 not saved")
        expect(page.locator(".hint")).to_contain_text("No connection")
        tab.shot("editor-not-saved")
        running.enter_context(app_server(tmp_path / "data", port=port))
        saved(page)
        after = labels_of_state(state(scene, server))
    assert np.array_equal(after == 1, stored == 1)
    assert (after == 2).sum() > (stored == 2).sum()
    assert (after == 3).sum() > (stored == 3).sum()


def _unsent(page: Page, scene: Scene, server: str, *stroke: tuple[float, float]) -> None:
    """Draw a stroke that does not arrive, and close the tab."""
    opened(page, scene, server)
    page.route("**/corrections", lambda route: route.abort())
    drag(page, *stroke)
    expect(page.locator(".saved")).to_have_text("1 not saved")
    page.close()


def test_strokes_that_did_not_arrive_are_sent_in_the_name_of_who_drew_them(tmp_path: Path) -> None:
    scene = made_scene(tmp_path / "data")
    with browser_tab() as tab, app_server(tmp_path / "data", USER_HEADER="X-Remote-User") as server:
        context = tab.page.context
        context.set_extra_http_headers({"X-Remote-User": "ada"})
        _unsent(tab.page, scene, server, (110, 120), (110, 190))
        context.set_extra_http_headers({"X-Remote-User": "ben"})  # at the same computer
        page = context.new_page()
        opened(page, scene, server)
        assert state(scene, server)["authors"] == []
        drag(page, (360, 240), (430, 240))
        saved(page)
        assert state(scene, server)["authors"] == ["ben"]
        context.set_extra_http_headers({"X-Remote-User": "ada"})  # while ben's tab stays open
        drag(page, (360, 240), (360, 310))
        expect(page.locator(".hint")).to_contain_text("These changes are ben's, and ada is signed in now")
        tab.page = page
        tab.shot("editor-other-author")
        again = context.new_page()
        opened(again, scene, server)
        found = state(scene, server)
    assert (found["authors"], found["revision"]) == (["ben", "ada"], 2)
    assert (labels_of_state(found) == 1).sum() > (discs() == 1).sum()


def test_two_tabs_leave_each_others_strokes_alone(scene: Scene, server: str) -> None:
    with browser_tab() as tab:
        context = tab.page.context
        first, second = tab.page, context.new_page()
        opened(second, scene, server)
        _unsent(first, scene, server, (110, 120), (110, 190))
        _unsent(second, scene, server, (300, 60), (340, 60))
        page = context.new_page()
        opened(page, scene, server)
        found = state(scene, server)
        assert (found["revision"], len(found["objects"])) == (2, 4)
        assert (labels_of_state(found) == 1).sum() > (discs() == 1).sum()
        page.reload()
        saved(page)
        assert state(scene, server)["revision"] == 2, "what has arrived is forgotten"


def test_who_goes_on_with_a_correction_that_was_discarded_takes_it_up_again(
    tab: Tab, scene: Scene, server: str
) -> None:
    page = tab.page
    drag(page, (110, 120), (110, 190))
    saved(page)
    drawn = labels_of_state(state(scene, server))
    _discard(scene, server, 1)
    drag(page, (210, 120), (210, 60))
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("This correction has been discarded by program")
    tab.shot("editor-discarded")
    question.get_by_role("button", name="Take it up again").click()
    saved(page)
    both = labels_of_state(state(scene, server))
    assert np.array_equal(both == 1, drawn == 1)
    assert (both == 2).sum() > (drawn == 2).sum()
    tab.errors[:] = [error for error in tab.errors if "409" not in error]


def test_a_discarded_correction_is_taken_up_again_from_the_history(scene: Scene, server: str) -> None:
    _change(scene, server, "a", {"number": 2, "runs": []})
    with browser_tab() as tab:
        page = tab.page
        questions = []
        page.on("dialog", lambda question: (questions.append(question.message), question.accept()))
        opened(page, scene, server)
        expect(page.locator("tbody tr")).to_have_count(2)
        page.get_by_role("button", name="Discard").click()
        expect(page.locator("tbody tr")).to_have_count(3, timeout=30_000)
        assert "It also has changes by program" in questions[0]
        page.get_by_role("tab", name="History").click()
        expect(page.get_by_text("1 change by program")).to_be_visible()
        tab.shot("history-discarded")
        page.get_by_role("button", name="Take up again").click()
        expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible(timeout=30_000)
        page.get_by_role("tab", name="Spheroids").click()
        expect(page.locator("tbody tr")).to_have_count(2, timeout=30_000)
        assert tab.errors == []


def test_done_asks_why_and_makes_a_version(tab: Tab, scene: Scene, server: str) -> None:
    page = tab.page
    drag(page, (110, 120), (110, 190))
    page.keyboard.press("Enter")
    dialog = page.locator("dialog.reason")
    expect(dialog.get_by_text("1 spheroid changed or new")).to_be_visible()
    expect(dialog.get_by_role("button", name="Done")).to_be_disabled()
    dialog.get_by_role("button", name="too small").click()
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_text("corrected by not signed in: outline too small").first).to_be_visible()
    expect(page.get_by_role("button", name="Correct outlines")).to_be_visible()
    expect(page).not_to_have_url(re.compile("edit=1"))
    found = _get(f"{server}/api/images/{scene.image_id}/versions")["versions"]
    assert [(item["kind"], item["in_force"]) for item in found] == [("corrected", True), ("automatic", False)]


def test_a_discarded_correction_leaves_the_result_as_it_was(tab: Tab, scene: Scene, server: str) -> None:
    page = tab.page
    before = cell(page, 1).inner_text()
    drag(page, (110, 120), (110, 190))
    saved(page)
    page.on("dialog", lambda question: question.accept())
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("button", name="Correct outlines")).to_be_visible()
    expect(cell(page, 1)).to_have_text(before)
    assert state(scene, server)["revision"] == 0


def test_two_people_at_one_image(tab: Tab, scene: Scene, server: str) -> None:
    page = tab.page
    _change(scene, server, "other", {"number": 2, "runs": []})  # of another spheroid: nobody is asked
    drag(page, (110, 120), (110, 190))
    saved(page)
    expect(page.locator("tbody tr")).to_have_count(2)
    box = {"box": [60, 70, 80, 90], "runs": [0, 7200]}
    _change(scene, server, "same", {"number": 1} | box, state(scene, server)["revision"])
    drag(page, (110, 120), (110, 60))
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("Somebody else has changed spheroid 1 meanwhile")
    tab.shot("editor-conflict")
    theirs = labels_of_state(state(scene, server))
    assert (theirs == 1).sum() == 7200, "nothing is overwritten before somebody has chosen"
    question.get_by_role("button", name="Keep mine").click()
    saved(page)
    mine = labels_of_state(state(scene, server))
    assert (mine == 1).sum() != 7200
    page.keyboard.press("Control+z")
    saved(page)
    tab.errors[:] = [
        error for error in tab.errors if "409" not in error
    ]  # the conflict, as Chromium reports it


def test_escape_and_keys_lead_through_the_editor(tab: Tab) -> None:
    page = tab.page
    pressed = page.locator(".tools [aria-pressed=true]")
    for key, tool in {
        "k": "cut",
        "m": "merge",
        "v": "bend",
        "a": "click",
        "x": "brush",
        "b": "brush",
    }.items():
        page.keyboard.press(key)
        expect(pressed).to_have_attribute("data-edit-tool", tool)
    size = page.locator(".size input").input_value()
    page.keyboard.press("]")
    expect(page.locator(".size input")).not_to_have_value(size)
    page.keyboard.press("Escape")
    expect(pressed).to_have_attribute("data-edit-tool", "hand")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Correct outlines")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()


def test_an_unfinished_correction_is_shown_and_can_be_gone_on_with(scene: Scene, server: str) -> None:
    _change(scene, server, "a", {"number": 2, "runs": []})
    with browser_tab() as tab:
        page = tab.page
        page.goto(scene.address(server, edit=False))
        expect(page.get_by_text("Being corrected now by program: 1 change")).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(3)
        tab.shot("editor-unfinished")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("button", name="Done", exact=True)).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(2)
        page.keyboard.press("Enter")
        expect(page.locator("dialog.reason")).to_be_visible()  # it can be finished by another person, too
        assert tab.errors == []


def _change(scene: Scene, server: str, key: str, changed: dict[str, Any], base: int = 0) -> None:
    """What another person does meanwhile."""
    body = {"version_id": scene.version_id, "base_revision": base, "tool": "brush", "objects": [changed]}
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    address = f"{server}/api/images/{scene.image_id}/corrections"
    with urlopen(Request(address, json.dumps(body).encode(), headers), timeout=30) as answer:
        assert answer.status == 200


def _discard(scene: Scene, server: str, revision: int) -> None:
    headers = {"Idempotency-Key": "discard", "Content-Type": "application/json"}
    address = f"{server}/api/images/{scene.image_id}/corrections"
    body = json.dumps({"revision": revision}).encode()
    with urlopen(Request(address, body, headers, method="DELETE"), timeout=30) as answer:
        assert answer.status == 204


def _get(address: str) -> Any:
    with urlopen(address, timeout=30) as answer:
        return json.load(answer)
