"""The pages as Streamlit runs them, on services of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.demo.plate import demo_plate
from core.models import Project
from core.services import Services, app_services, get_services
from tests.polling import wait_until

PAGES = Path(__file__).resolve().parents[2] / "pages"
Open = Callable[..., AppTest]


@pytest.fixture
def services(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services that the pages will find, on an empty folder."""
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(data_folder))
    # the process of all tests together is larger than an app's, and health would rightly complain
    monkeypatch.setenv("CONTAINER_MEMORY_LIMIT_MB", "16384")
    app_services.clear()
    opened = get_services()
    yield opened
    opened.close()
    app_services.clear()


@pytest.fixture
def open_page(services: Services) -> Open:
    """Open a page by its file's name as a visitor would, with parameters in the address."""

    def opened(page: str = "projects.py", **params: str) -> AppTest:
        app = AppTest.from_file(str(PAGES / "_main.py"), default_timeout=60)
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        return app.switch_page(str(PAGES / page)).run() if page != "projects.py" else app

    return opened


@pytest.fixture
def plate(services: Services) -> Project:
    """A project with the first three images of the demo plate, segmented."""
    project = services.create_project("Plate 1")
    files = demo_plate()
    for _ in range(3):
        file = next(files)
        services.ingest.add(project.id, file.name, file.data, services.recipe(project))
    services.queue.wake()
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    return services.store.projects.get(project.id)


def texts(app: AppTest) -> str:
    """Everything that a visitor can read, but what stands in tables and components."""
    kinds = (app.title, app.header, app.subheader, app.text, app.markdown, app.caption, app.info, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
