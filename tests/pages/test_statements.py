"""How many statements a run of each page asks of the database: few, however much there is."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.policy import ABOUT_ACCESS
from core.db import Database
from core.monitoring import QueryRecorder
from core.services import Services
from core.store import Recipe, Store
from tests.factories import add, finish, spheroid
from tests.pages.conftest import PAGES

MAX_STATEMENTS = 3
# Unfinished and discarded corrections and the list of changes are looked for; images that others correct are
# left out of the review; what the review and second opinions say of outlines, and of work, is asked for.
MORE = {"image": 4, "throughput": 3, "review": 6}
RECIPE = Recipe("classical", "3", {})
N_PROJECTS, N_IMAGES = 12, 120
ALL = (
    "projects",
    "images",
    "image",
    "review",
    "measurements",
    "queue",
    "performance",
    "throughput",
    "health",
    "settings",
    "trash",
    "help",
)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The thread and the name of every statement, those on the file of metrics as well."""
    names: list[tuple[str, str]] = []

    def record(_self: QueryRecorder, name: str, _ms: float, _rows: int) -> None:
        names.append((threading.current_thread().name, name))

    monkeypatch.setattr(QueryRecorder, "record", record)
    return names


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of a dozen projects; the largest has more images than a page of its table."""
    folder = tmp_path_factory.mktemp("filled")
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    store = Store(db)
    for number in range(N_PROJECTS):
        project = store.projects.create(f"Plate {number}", RECIPE.engine)
        n_images = N_IMAGES if number == 0 else 3
        for image_id in add(store, project.id, *(f"{number}-{index}" for index in range(n_images))):
            finish(store, image_id, spheroid(1), spheroid(2), recipe=RECIPE)
    db.close()
    return folder


@pytest.fixture(params=["empty", "filled"])
def lab(request: pytest.FixtureRequest, data_folder: Path, ran: list[tuple[str, str]]) -> Services:
    """The services on an empty project, and on that database."""
    if request.param == "filled":
        shutil.copytree(request.getfixturevalue("filled"), data_folder, dirs_exist_ok=True)
    services: Services = request.getfixturevalue("services")
    if request.param == "empty":
        services.create_project("Empty")
    ran.clear()
    return services


def test_every_page_is_named_here() -> None:
    about_access = {
        name.removesuffix(".py") for name in ABOUT_ACCESS
    }  # there are none of them with AUTH=none
    assert {path.stem for path in PAGES.glob("*.py")} - {"_main"} - about_access == set(ALL)


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
    statements = [name for thread, name in ran if "Script" in thread or "script" in thread]
    assert len(statements) <= MAX_STATEMENTS + MORE.get(page, 0), statements
    assert statements or page != "throughput", "the pages' thread has another name now"
