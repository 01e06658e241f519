"""The routes as an application of their own, on services of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import http
from core.services import Services
from core.settings import Settings
from tests.http.lab import Lab

DOCUMENT = http.create_app(lambda: None).openapi()  # type: ignore[arg-type, return-value]
PATHS = tuple(path for path, item in DOCUMENT["paths"].items() if "get" in item)  # of what can be read
CHANGES = {  # the methods besides GET and HEAD, by address
    path: tuple(method.upper() for method in item if method != "get")
    for path, item in DOCUMENT["paths"].items()
    if item.keys() != {"get"}
}


@pytest.fixture
def services(data_folder: Path) -> Iterator[Services]:
    """Services on an empty folder. Nothing is segmented: tests say what was measured."""
    opened = Services.open(Settings(data=data_folder))
    opened.queue.drain(5)
    yield opened
    opened.close()


@pytest.fixture
def lab(services: Services) -> Lab:
    return Lab(services.store, services.blobs)


@pytest.fixture
def app(services: Services) -> Starlette:
    return application(services)


@pytest.fixture
def client(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


@pytest.fixture(scope="module")
def empty_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of services without data, shared by the tests that only see what is refused."""
    opened = Services.open(Settings(data=tmp_path_factory.mktemp("empty")))
    with TestClient(application(opened), base_url="http://localhost") as client:
        yield client
    opened.close()


def application(services: Services, settings: Settings | None = None) -> Starlette:
    app = Starlette(
        routes=http.routes(lambda: services),
        middleware=http.middleware(settings or services.settings, lambda: services),
    )
    app.state.services = services
    return app
