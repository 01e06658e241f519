"""How many statements a run of each page asks of the database: few, however much there is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bench.lab import Size, make
from core.monitoring import QueryRecorder
from core.services import Services, get_services
from tests.pages.conftest import PAGES

MOST = 3
LAB = Size(projects=30, images=6000, largest=2000)
ALL = (
    "projects",
    "images",
    "image",
    "measurements",
    "queue",
    "performance",
    "throughput",
    "health",
    "settings",
)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The thread and the name of every statement, those on the file of metrics as well."""
    names: list[tuple[str, str]] = []

    def record(_self: QueryRecorder, name: str, _ms: float, _rows: int) -> None:
        names.append((threading.current_thread().name, name))

    monkeypatch.setattr(QueryRecorder, "record", record)
    return names


@pytest.fixture(params=["empty", "large"])
def lab(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ran: list[tuple[str, str]],
) -> Iterator[Services]:
    """The services on an empty folder, and on one with thousands of images."""
    if request.param == "large":
        make(tmp_path, LAB)
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path))
    get_services.clear()
    services = get_services()
    if request.param == "empty":
        services.create_project("Empty")
    ran.clear()
    yield services
    services.close()
    get_services.clear()


def test_every_page_is_named_here() -> None:
    assert {path.stem for path in PAGES.glob("*.py")} - {"_main"} == set(ALL)


@pytest.mark.parametrize("page", ALL)
def test_a_run_of_a_page_asks_few_statements(lab: Services, ran: list[tuple[str, str]], page: str) -> None:
    project = max(lab.store.projects.list(), key=lambda item: item.n_images)
    app = AppTest.from_file(str(PAGES / "_main.py"), default_timeout=60)
    app.query_params["project"] = project.id
    if project.n_images:
        app.query_params["image"] = lab.store.images.page(project.id).items[0].id
    app.run()
    if page != "projects":
        app.switch_page(str(PAGES / f"{page}.py"))
    app.run()  # what is kept until the next change is kept from here on
    assert not app.exception
    ran.clear()
    app.run()
    assert not app.exception
    asked = [name for thread, name in ran if "Script" in thread or "script" in thread]
    assert len(asked) <= MOST, asked
    assert asked or page != "throughput", "the pages' thread has another name now"
