"""Uploads in a real browser: they go on while pages change, after a reload, and once the network is back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Dialog, Page, expect

from core.services import Services
from core.settings import Settings
from core.store import NewUpload, UploadBatch
from tests import corpus
from tests.browser.app import app_server
from tests.browser.chromium import browser_tab
from tests.browser.test_journey import create_project
from tests.factories import upload
from tests.faults.test_full_disk import Ballast
from tests.faults.test_full_disk import disk as small_disk  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLOW = 400_000  # bytes a second


def write_images(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"A{number:02}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(corpus.png(corpus.noise((160, 160), seed=number)))
    return paths


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app in which each test creates a project of its own."""
    with app_server(tmp_path_factory.mktemp("uploads") / "data") as served:
        yield served


def set_network(session: CDPSession, *, offline: bool = False, rate: float = -1) -> None:
    conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate}
    session.send("Network.emulateNetworkConditions", conditions)


def newest_project(page: Page, address: str) -> dict[str, Any]:
    """The project that the test has created."""
    projects: list[dict[str, Any]] = page.request.get(f"{address}/api/projects").json()["projects"]
    return max(projects, key=lambda project: str(project["created_at"]))


def total(page: Page, address: str) -> int:
    return int(newest_project(page, address)["n_images"])


def stored(page: Page, address: str) -> list[str]:
    """The names of the project's images, sorted."""
    images = f"{address}/api/projects/{newest_project(page, address)['id']}/images?limit=200"
    return sorted(image["name"] for image in page.request.get(images).json()["images"])


def wait_for(page: Page, address: str, count: int) -> None:
    for _ in range(600):
        if total(page, address) >= count:
            break
        page.wait_for_timeout(100)
    assert total(page, address) >= count


def test_sixty_files_outlive_the_page_a_cut_network_and_a_reload(address: str, tmp_path: Path) -> None:
    dialogs: list[str] = []

    def leave(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.accept()

    files = write_images(tmp_path / "images", 60)
    with browser_tab() as tab:
        page = tab.page
        page.on("dialog", leave)
        create_project(page, address, "Sixty")
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        set_network(session, rate=SLOW)
        page.get_by_label("Image files", exact=True).set_input_files(files)
        tray = page.get_by_role("region", name="Uploads")
        expect(tray).to_contain_text("of 60")
        wait_for(page, address, 2)
        page.get_by_role("link", name="Queue").click()
        expect(page.get_by_role("heading", name="Queue")).to_be_visible(timeout=30_000)
        expect(tray).to_contain_text("of 60")
        wait_for(page, address, total(page, address) + 2)
        set_network(session, offline=True)
        expect(tray).to_contain_text("No connection to Spheroscope", timeout=30_000)
        set_network(session, rate=SLOW)
        wait_for(page, address, total(page, address) + 2)
        assert total(page, address) < 60, "the rest is for after the reload"
        page.reload()
        assert dialogs == ["beforeunload"]
        set_network(session)
        wait_for(page, address, 60)
        expect(tray).to_contain_text("stored", timeout=30_000)
        assert stored(page, address) == [file.name for file in files]
        listed = page.request.get(f"{address}/api/uploads?unfinished=1").json()["uploads"]
        assert listed == []


def test_a_folder_keeps_its_paths_and_leaves_out_what_is_no_image(address: str, tmp_path: Path) -> None:
    write_images(tmp_path / "plate 1" / "day 3", 2)
    (tmp_path / "plate 1" / "notes.txt").write_text("for myself")
    (tmp_path / "plate 1" / ".DS_Store").write_bytes(b"x")
    with browser_tab() as tab:
        create_project(tab.page, address, "Folder")
        tab.page.get_by_label("Folder of image files").set_input_files(str(tmp_path / "plate 1"))
        expect(tab.page.get_by_text("Last upload: 2 stored")).to_be_visible(timeout=60_000)
        assert stored(tab.page, address) == ["plate 1/day 3/A00.png", "plate 1/day 3/A01.png"]
        assert tab.errors == []


def test_a_closed_page_is_gone_on_with_by_the_next_and_none_is_stored_twice(
    address: str, tmp_path: Path
) -> None:
    files = write_images(tmp_path / "images", 12)
    with browser_tab() as tab:
        create_project(tab.page, address, "Closed")
        session = tab.page.context.new_cdp_session(tab.page)
        session.send("Network.enable")
        set_network(session, rate=SLOW / 4)
        tab.page.get_by_label("Image files", exact=True).set_input_files(files)
        wait_for(tab.page, address, 1)
        again = tab.page.context.new_page()
        tab.page.close()
        assert total(again, address) < 12, "the rest is for the next page"
        again.goto(f"{address}/queue")
        wait_for(again, address, 12)
        assert stored(again, address) == [file.name for file in files]
        assert again.request.get(f"{address}/api/uploads?unfinished=1").json()["uploads"] == []


def test_two_tabs_send_at_once(address: str, tmp_path: Path) -> None:
    files = write_images(tmp_path / "images", 12)
    with browser_tab() as tab:
        create_project(tab.page, address, "Two tabs")
        other = tab.page.context.new_page()
        other.goto(tab.page.url)
        expect(other.get_by_text("Drop images or folders here")).to_be_visible(timeout=60_000)
        tab.page.get_by_label("Image files", exact=True).set_input_files(files[:7])
        other.get_by_label("Image files", exact=True).set_input_files(files[5:])
        wait_for(other, address, 12)
        assert stored(other, address) == [file.name for file in files], "two of them were sent by both"
        assert tab.errors == []


def test_a_full_disk_is_said_and_all_is_stored_once_there_is_room(
    small_disk: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    ballast, files = Ballast(small_disk), write_images(tmp_path / "images", 8)
    with app_server(small_disk / "data") as address, browser_tab() as tab:
        create_project(tab.page, address, "Full")
        ballast.leave(0)
        tab.page.get_by_label("Image files", exact=True).set_input_files(files)
        tray = tab.page.get_by_role("region", name="Uploads")
        expect(tray).to_contain_text(re.compile("disk (space|is full)"), timeout=60_000)
        tab.shot("upload-disk-full")
        ballast.lift()
        wait_for(tab.page, address, 8)
        assert stored(tab.page, address) == [file.name for file in files]


def test_what_was_not_stored_is_named_at_the_next_visit_and_goes_on_when_dropped_again(
    tmp_path: Path,
) -> None:
    data, files = tmp_path / "data", write_images(tmp_path / "images", 3)
    services = Services.open(Settings(data=data))
    project = services.create_project("Left")
    new = [NewUpload(file.name, file.name, file.stat().st_size) for file in files]
    services.uploads.declare(project.id, UploadBatch("dropped"), new)
    upload(services, project.id, files[0].name, files[0].read_bytes())
    services.close()
    with app_server(data) as address, browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/queue")
        tray = page.get_by_role("region", name="Uploads")
        expect(tray).to_contain_text("2 not stored", timeout=30_000)
        expect(tray).to_contain_text("A01.png")
        page.goto(f"{address}/images?project={project.id}")
        expect(page.get_by_text("Last upload: 1 stored, 2 not stored")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Upload").first.click()
        page.get_by_label("Image files", exact=True).set_input_files(files[1:])
        expect(page.get_by_text("Last upload: 3 stored")).to_be_visible(timeout=60_000)
        assert total(page, address) == 3
        assert tab.errors == []
