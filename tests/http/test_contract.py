"""The OpenAPI document against what is built: its addresses, its parameters, its fields."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from core import http
from core.http import contract, forms
from core.http.ordered import PROJECT_KEYS, SPHEROID_KEYS
from core.listing import object_table
from core.listing.image_table import RANGES
from core.listing.image_table import SORTS as IMAGE_SORTS
from core.listing.object_table import SORTS as OBJECT_SORTS
from core.store.job_order import SORTS as JOB_SORTS
from tests.http.test_api import error_of

DOCUMENT = contract.document()
LISTS = {
    "/api/projects": (PROJECT_KEYS, forms.PROJECT_FIELDS),
    "/api/projects/{id}/images": (IMAGE_SORTS, forms.IMAGE_FIELDS),
    "/api/projects/{id}/objects": (OBJECT_SORTS, forms.OBJECT_FIELDS),
    "/api/jobs": (JOB_SORTS, forms.JOB_FIELDS),
    "/api/images/{id}/objects": (SPHEROID_KEYS, (*forms.SPHEROID_FIELDS, "contour")),
}


def parameter(path: str, name: str) -> dict[str, Any]:
    (found,) = [item for item in DOCUMENT["paths"][path]["get"]["parameters"] if item.get("name") == name]
    return dict(found["schema"])


def test_it_has_the_addresses_that_are_built_and_no_other() -> None:
    built = {route.path for route in http.routes(lambda: None)}  # type: ignore[arg-type, return-value]
    own = {path for path in built if "{rest" not in path and path.count("/") > 1}
    assert set(DOCUMENT["paths"]) == own | {"/metrics"}


def test_every_reference_leads_somewhere() -> None:
    for place in set(re.findall(r'"#/([^"]+)"', contract.FILE.read_text(encoding="utf-8"))):
        found: Any = DOCUMENT
        for step in place.split("/"):
            found = found[step]
        assert found


@pytest.mark.parametrize("path", LISTS)
def test_it_has_the_sorts_and_fields_that_are_allowed(path: str) -> None:
    sorts, fields = LISTS[path]
    assert set(parameter(path, "sort")["enum"]) == {way + name for name in sorts for way in ("", "-")}
    assert set(parameter(path, "fields")["items"]["enum"]) == set(fields)


def test_it_has_a_bound_for_every_number_of_a_spheroid() -> None:
    names = contract.query_parameters("/api/projects/{id}/objects", DOCUMENT)
    bounds = [f"{name}_{end}" for name in object_table.RANGES for end in ("min", "max")]
    assert [name for name in names if name.endswith(("_min", "_max"))] == bounds


def test_it_has_the_ranges_of_images() -> None:
    names = contract.query_parameters("/api/projects/{id}/images", DOCUMENT)
    bounds = [f"{name}_{end}" for name in RANGES if name != "created" for end in ("min", "max")]
    assert [name for name in names if name.endswith(("_min", "_max"))] == bounds
    assert {"created_from", "created_to"} <= set(names)


def test_it_is_served(empty_client: TestClient) -> None:
    answer = empty_client.get("/api/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer.json()["openapi"] == "3.1.0"


@pytest.mark.parametrize("path", list(DOCUMENT["paths"]))
def test_an_unknown_parameter_is_refused_everywhere(empty_client: TestClient, path: str) -> None:
    code, message = error_of(empty_client.get(path.replace("{id}", "x") + "?statsu=done"), 400)
    assert code == "invalid_request"
    assert message.startswith("There is no parameter “statsu”.")


def test_a_parameter_is_given_once(empty_client: TestClient) -> None:
    _, message = error_of(empty_client.get("/api/jobs?limit=1&limit=2"), 400)
    assert message == "limit is given 2 times; give it once."


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused_as_json_everywhere(empty_client: TestClient, method: str) -> None:
    for path in DOCUMENT["paths"]:
        response = empty_client.request(method, path.replace("{id}", "x"))
        assert error_of(response, 405)[0] == "method_not_allowed"
        assert response.headers["allow"] == "GET, HEAD"
