"""Compression: as the server does it, and switched off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from core import http
from core.http.middleware.encodings import Uncompressed
from core.services import Services


def served(services: Services, compression: bool) -> ASGIApp:
    """The routes below what the pages' server compresses with."""
    settings = replace(services.settings, compression=compression)
    app = Starlette(
        routes=http.routes(lambda: services), middleware=http.middleware(settings, lambda: services)
    )
    app.add_middleware(GZipMiddleware, minimum_size=100)  # goes in front, so it is moved behind ours
    app.user_middleware.append(app.user_middleware.pop(0))
    return app


@pytest.mark.parametrize(("compression", "encoding"), [(True, "gzip"), (False, None)])
def test_the_switch_decides_whether_answers_are_compressed(
    services: Services, compression: bool, encoding: str | None
) -> None:
    services.create_project("Plate")
    with TestClient(served(services, compression), base_url="http://localhost") as client:
        answer = client.get("/api/projects", headers={"Accept-Encoding": "gzip"})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.json()["projects"][0]["name"] == "Plate"


def test_with_compression_on_no_middleware_is_added(services: Services) -> None:
    chain = http.middleware(services.settings, lambda: services)
    assert Uncompressed not in [item.cls for item in chain]
