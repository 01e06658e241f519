"""The page that every visit begins with: told what will be needed; everything else is left as it is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from core.http.middleware.entrance import FOR_EVER, TABLE, Entrance, hints, table_hints
from core.http.middleware.headers import PREFIXES

PAGE = "<html><head><title>Streamlit</title></head><body></body></html>"
PROGRAM = f"/{TABLE}/main.0123abcd.js"


@pytest.fixture
def client() -> TestClient:
    def page(request: Request) -> Response:
        known = "if-none-match" in request.headers or "accept-encoding" in request.headers
        return Response(status_code=304) if known else HTMLResponse(PAGE, headers={"ETag": '"file"'})

    def program(_request: Request) -> Response:
        return Response("let x;", headers={"Cache-Control": "public"})

    def missing(_request: Request) -> Response:
        return HTMLResponse(PAGE, status_code=404)

    def table(_request: Request) -> Response:
        return HTMLResponse(PAGE)

    routes = [
        Route(PROGRAM, program),
        Route("/component/x/index.html", table),
        Route("/missing", missing),
        Route("/{rest:path}", page),
    ]
    return TestClient(Entrance(Starlette(routes=routes)))


@pytest.mark.parametrize("path", ["/", "/images", "/images?project=x"])
def test_a_page_is_told_where_its_server_is_and_what_it_will_need(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"If-None-Match": '"file"', "Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert "window.__streamlit" in answer.text
    assert answer.text.index("modulepreload") < answer.text.index("</head>")
    assert answer.text.endswith("</head><body></body></html>")
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "etag" not in answer.headers


def test_what_it_is_told_of_is_there() -> None:
    origin = find_spec("streamlit").origin  # type: ignore[union-attr]
    folder = Path(origin or "").parent / "static"
    named = [line.split('href="./')[1].split('"')[0] for line in hints()[1:]]
    assert len(named) > 20
    assert [name for name in named if not (folder / name).is_file()] == []
    assert len(table_hints()) == 1


def test_the_tables_program_is_kept_and_told_of_once_it_is_there(client: TestClient) -> None:
    assert "prefetch" not in client.get("/images").text
    assert client.get(PROGRAM).headers["cache-control"] == FOR_EVER
    assert f'rel="prefetch" as="script" href="./{TABLE}/main.' in client.get("/images").text


@pytest.mark.parametrize("prefix", PREFIXES)
def test_our_own_routes_are_asked_as_the_client_asked(client: TestClient, prefix: str) -> None:
    answer = client.get(f"{prefix}/x", headers={"If-None-Match": '"file"', "Accept-Encoding": "gzip"})
    assert answer.status_code == 304


def test_everything_else_is_left_as_it_is(client: TestClient) -> None:
    assert client.get("/component/x/index.html").text == PAGE
    assert client.get("/missing").text == PAGE
    assert client.post("/images").status_code == 405
    assert "window.__streamlit" not in client.head("/images").text
