"""The generated OpenAPI document, the page that shows it, and what every address refuses alike."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.http.ordered import PROJECT_KEYS, SPHEROID_KEYS
from core.http.schemas import rows
from core.listing import object_table
from core.listing.image_table import RANGES
from core.listing.image_table import SORTS as IMAGE_SORTS
from core.listing.object_table import SORTS as OBJECT_SORTS
from core.store.job_order import SORTS as JOB_SORTS
from tests.http.conftest import CHANGES, DOCUMENT, PATHS
from tests.http.test_api import ROOT, error_of

LISTS = {
    "/api/projects": (PROJECT_KEYS, rows.PROJECT_FIELDS),
    "/api/projects/{id}/images": (IMAGE_SORTS, rows.IMAGE_FIELDS),
    "/api/projects/{id}/objects": (OBJECT_SORTS, rows.OBJECT_FIELDS),
    "/api/jobs": (JOB_SORTS, rows.JOB_FIELDS),
    "/api/images/{id}/objects": (SPHEROID_KEYS, (*rows.SPHEROID_FIELDS, "contour")),
}


def parameters(path: str) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in DOCUMENT["paths"][path]["get"]["parameters"]}


@pytest.mark.parametrize("path", LISTS)
def test_it_has_the_sorts_and_fields_of_the_lists(path: str) -> None:
    sorts, fields = LISTS[path]
    assert parameters(path)["sort"]["schema"]["enum"] == [way + name for name in sorts for way in ("", "-")]
    assert parameters(path)["fields"]["schema"]["items"]["enum"] == list(fields)
    assert (parameters(path)["fields"]["style"], parameters(path)["fields"]["explode"]) == ("form", False)


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        ("/api/projects/{id}/objects", list(object_table.RANGES)),
        ("/api/projects/{id}/images", [name for name in RANGES if name != "created"]),
    ],
)
def test_it_has_bounds_for_every_number(path: str, columns: list[str]) -> None:
    names = [name for name in parameters(path) if name.endswith(("_min", "_max"))]
    assert names == [f"{name}_{end}" for name in columns for end in ("min", "max")]
    assert {parameters(path)[name]["schema"]["type"] for name in names} == {"number"}


def tables_of_parameters() -> dict[str, list[set[str]]]:
    """By address with a table in docs/http_api.md: its rows, each the names that its first cell has."""
    text = (ROOT / "docs" / "http_api.md").read_text(encoding="utf-8")
    tables = {}
    for section in text.split("\n### ")[1:]:
        heading, _, table = section.partition("| parameter | meaning |\n")
        if table and (address := re.match(r"`GET (/\S+)`", heading)):
            rows = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
            tables[address[1]] = [{*re.findall(r"`(\w+)`", row)} | ({"…"} & {*row}) for row in rows]
    return tables


@pytest.mark.parametrize("path", ["/api/projects/{id}/images", "/api/projects/{id}/objects"])
def test_the_tables_of_parameters_are_those_of_the_document(path: str) -> None:
    table = tables_of_parameters()[path]
    listed = {name for row in table for name in row} - {"…"}
    bounds = {name for name in parameters(path) if name.endswith(("_min", "_max"))}
    assert any("…" in row and row - {"…"} < bounds for row in table), "the bounds end with an ellipsis"
    assert listed - bounds == parameters(path).keys() - bounds - {"id"}
    assert listed & bounds < bounds


def test_a_table_of_parameters_lists_the_words_that_they_take() -> None:
    path = "/api/projects/{id}/images"
    text = (ROOT / "docs" / "http_api.md").read_text(encoding="utf-8")
    section = text.partition(f"### `GET {path}`")[2].partition("\n### ")[0]
    for name in ("status", "findings", "review"):
        kind = parameters(path)[name]["schema"]["items"]["$ref"].rpartition("/")[2]
        (row,) = re.findall(rf"^\| `{name}` \| (.*) \|$", section, re.MULTILINE)
        assert re.findall(r"`(\w+)`", row) == DOCUMENT["components"]["schemas"][kind]["enum"], name


def test_it_is_served_with_a_page_that_loads_nothing_from_elsewhere(empty_client: TestClient) -> None:
    assert empty_client.get("/api/openapi.json").json() == DOCUMENT
    page = empty_client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith("/api/")
        assert empty_client.get(address).status_code == 200
    assert "script-src 'self' 'unsafe-inline'" in page.headers["content-security-policy"]
    assert "http" not in re.sub(r"https?-", "", page.headers["content-security-policy"])
    assert error_of(empty_client.get("/api/docs-files/nothing.js"), 404)[0] == "not_found"


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_parameter_is_refused_everywhere(empty_client: TestClient, path: str) -> None:
    code, message = error_of(empty_client.get(path.replace("{id}", "x") + "?statsu=done"), 400)
    assert code == "invalid_request"
    assert message.startswith("There is no parameter “statsu”.")


def test_a_parameter_is_given_once(empty_client: TestClient) -> None:
    _, message = error_of(empty_client.get("/api/jobs?limit=1&limit=2"), 400)
    assert message == "limit is given 2 times; give it once."


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused_as_json_everywhere(empty_client: TestClient, method: str) -> None:
    for path in PATHS:
        if method in CHANGES.get(path, ()):
            continue
        response = empty_client.request(method, path.replace("{id}", "x"))
        assert error_of(response, 405)[0] == "method_not_allowed"
        assert response.headers["allow"] == ", ".join(sorted(["GET", "HEAD", *CHANGES.get(path, ())]))
