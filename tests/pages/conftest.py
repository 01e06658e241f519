"""The pages as Streamlit runs them, on services of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.demo.plate import demo_plate
from core.models import Project
from core.services import CALLER_HEADER, Services, app_services
from tests.polling import wait_until

PAGES = Path(__file__).resolve().parents[2] / "pages"
Open = Callable[..., AppTest]


@contextmanager
def opened_services(monkeypatch: pytest.MonkeyPatch, data: Path, **env: str) -> Iterator[Services]:
    """The services that the pages will find, on a data folder, with settings as environment variables."""
    # the process of all tests together is larger than an app's, and health would rightly complain
    given = {"SPHEROSCOPE_DATA": str(data), "CONTAINER_MEMORY_LIMIT_MB": "16384"} | env
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    app_services.clear()
    opened = app_services()
    yield opened
    opened.close()
    app_services.clear()


@pytest.fixture
def services(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The services that the pages will find, on an empty folder."""
    with opened_services(monkeypatch, data_folder) as opened:
        yield opened


@pytest.fixture
def with_accounts(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """As ``services``, with AUTH=local and nothing at work on the queue."""
    with opened_services(monkeypatch, data_folder, AUTH="local") as opened:
        opened.queue.drain(5)
        yield opened


def open_as(
    services: Services, monkeypatch: pytest.MonkeyPatch, name: str, page: str = "projects.py", **params: str
) -> AppTest:
    """Open a page as somebody, as the access guard tells pages of them."""
    account = services.access.accounts.named(name)
    key = f"account:{account[0].id}" if account else ""
    context = SimpleNamespace(headers={CALLER_HEADER: key}, ip_address="10.0.0.1", cookies={}, timezone=None)
    monkeypatch.setattr(st, "context", context)
    return opened_page(page, params)


@pytest.fixture
def open_page(services: Services) -> Open:
    """Open a page by its file's name as a visitor would, with parameters in the address."""

    return lambda page="projects.py", **params: opened_page(page, params)


def opened_page(page: str, params: Mapping[str, str]) -> AppTest:
    app = AppTest.from_file(str(PAGES / "_main.py"), default_timeout=60)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    return app.switch_page(str(PAGES / page)).run() if page != "projects.py" else app


@pytest.fixture
def plate(services: Services) -> Project:
    """A project with the first three images of the demo plate, segmented."""
    project = services.create_project("Plate 1")
    files = demo_plate()
    for _ in range(3):
        file = next(files)
        services.ingest.add(project.id, file.name, file.data, services.recipe(project))
    services.queue.wake()
    wait_until(lambda: services.store.jobs.totals().left == 0, 120)
    return services.store.projects.get(project.id)


def texts(app: AppTest) -> str:
    """Everything that a visitor can read, but what stands in tables and components."""
    kinds = (app.title, app.header, app.subheader, app.text, app.markdown, app.caption, app.info, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
