"""What the routes must withstand: foreign hosts, other methods, hostile values, faults that tell too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse

from core import http
from core.errors import InvalidRequest
from core.http.middleware.hosts import allowed_names
from core.listing.image_query import Sort
from core.listing.image_table import SORTS
from core.services import Services
from core.settings import Settings
from tests.http.conftest import CHANGES, PATHS, application
from tests.http.lab import Lab, digest, disc

UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "NONSENSE")


@pytest.fixture
def addresses(lab: Lab) -> list[str]:
    """Every route of ours with something behind it."""
    project = lab.project()
    image = lab.measured(lab.image(project, "a.png"), disc())
    return [path.replace("{id}", project.id if "/projects/" in path else image.id) for path in PATHS]


@pytest.fixture
def beside_pages(services: Services) -> Iterator[TestClient]:
    """The routes in front of an application that answers every address and method, as the pages' does."""
    ours = application(services)
    everything = Mount("/", app=PlainTextResponse("a page"))
    app = Starlette(
        routes=[*ours.routes, everything],
        middleware=http.middleware(services.settings, lambda: services),
    )
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def test_a_route_takes_no_other_method_than_it_says(beside_pages: TestClient, addresses: list[str]) -> None:
    for path, address in zip(PATHS, addresses, strict=True):
        changes = CHANGES.get(path, ())
        for method in set(UNSAFE) - set(changes):
            response = beside_pages.request(method, address)
            assert response.status_code == 405, (method, address)
            assert response.headers["allow"] == ", ".join(sorted(["GET", "HEAD", *changes]))
            assert response.json()["error"]["code"] == "method_not_allowed"


def test_nothing_is_changed_without_the_header_that_only_our_clients_can_send(
    beside_pages: TestClient, services: Services, lab: Lab
) -> None:
    project = lab.project()
    generation = services.db.generation
    for path, methods in CHANGES.items():
        for method in methods:
            response = beside_pages.request(method, path.replace("{id}", project.id), json={})
            assert response.status_code == 400, (method, path)
            assert "Idempotency-Key" in response.text or "body" in response.text or "path" in response.text
    assert services.db.generation == generation


def test_other_addresses_are_the_pages(beside_pages: TestClient) -> None:
    for address in ("/", "/images", "/apis", "/downloads.html"):
        response = beside_pages.get(address)
        assert response.text == "a page"
        assert "content-security-policy" not in response.headers


def test_every_answer_carries_the_security_headers(beside_pages: TestClient, addresses: list[str]) -> None:
    for address in addresses:
        for response in (beside_pages.get(address), beside_pages.head(address), beside_pages.post(address)):
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
            assert response.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in response.headers


def test_head_is_get_without_its_body(client: TestClient, addresses: list[str]) -> None:
    for address in addresses:
        full, head = client.get(address), client.head(address)
        assert (head.status_code, head.content) == (full.status_code, b"")
        for name in ("content-type", "cache-control", "content-disposition", "etag"):
            assert head.headers.get(name) == full.headers.get(name), (name, address)
        assert ("content-length" in head.headers) == ("content-length" in full.headers), address


def test_reading_changes_nothing(client: TestClient, services: Services, addresses: list[str]) -> None:
    generation = services.db.generation
    for address in addresses:
        client.get(address)
        client.head(address)
        client.post(address)
    assert services.db.generation == generation


FOREIGN = [
    *(
        "evil.example",
        "evil.example:8501",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
    ),
    *("localhost@evil.example", "evil.example#localhost", "evil.example/localhost", "", " ", "[localhost]"),
    *("local host", "[::1", "127.0.0.1:x", "0x7f000001", "2130706433", "127.1"),
]


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_host_is_refused(empty_client: TestClient, host: str) -> None:
    response = empty_client.get("/api/projects", headers={"Host": host})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "host_refused"
    assert "ALLOWED_HOSTS" in response.json()["error"]["message"]


def test_a_foreign_host_is_refused_everywhere(beside_pages: TestClient, addresses: list[str]) -> None:
    for address in (*addresses, "/", "/images"):
        assert beside_pages.get(address, headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8501", "127.0.0.1", "192.168.1.20:8501", "[::1]:8501", "[fe80::1]"]
)
def test_this_computer_and_ip_addresses_pass(empty_client: TestClient, host: str) -> None:
    assert empty_client.get("/api/projects", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("setting", "host", "status"),
    [
        ("localhost, Lab-PC.local", "lab-pc.local:8501", 200),
        ("lab-pc", "localhost", 400),
        ("*", "anything.example", 200),
        (" , ", "localhost", 400),
        ("*.example", "a.example", 400),
    ],
)
def test_hosts_follow_their_setting(services: Services, setting: str, host: str, status: int) -> None:
    app = application(services, replace(services.settings, allowed_hosts=setting))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/api/projects", headers={"Host": host}).status_code == status


def test_the_setting_is_read_from_the_environment() -> None:
    assert Settings.from_env({"ALLOWED_HOSTS": "lab-pc,lab-pc.local"}).allowed_hosts == "lab-pc,lab-pc.local"
    assert allowed_names("a, B ,,") == {"a", "b"}
    assert Settings.from_env({}).allowed_hosts == "localhost"


def test_websockets_are_guarded_too(services: Services) -> None:
    async def opened(_: object) -> None:
        raise AssertionError("the request came through")

    guarded = Starlette(
        routes=[WebSocketRoute("/_stcore/stream", opened)],
        middleware=http.middleware(services.settings, lambda: services),
    )
    client = TestClient(guarded, base_url="http://localhost")
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        client.websocket_connect("/_stcore/stream", headers={"Host": "evil.example"}),
    ):
        pass
    assert denied.value.status_code == 400


INJECTIONS = [
    *(
        "'",
        '"',
        "';--",
        "' OR 1=1--",
        "1; DROP TABLE image",
        "id) UNION SELECT * FROM project--",
        "*",
        "%",
        "_",
    ),
    *("name; DELETE FROM image", "(SELECT 1)", "name DESC, (SELECT sha256)", "1", "$limit", "{order}", "{0}"),
    *("\0", "a\0b", "\u202e", "💥", "x" * 5000, "../../etc/passwd", "%2e%2e%2f", "<script>alert(1)</script>"),
    *("=cmd|' /C calc'!A0", "\r\nSet-Cookie: a=b", "null", "NaN", "[]", "__proto__", "name,", "-"),
]


def test_no_value_reaches_the_database_as_sql(client: TestClient, services: Services, lab: Lab) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.png"), disc())
    for value in INJECTIONS:
        for parameter in ("sort", "status", "limit", "offset", "page"):
            response = client.get(f"/api/projects/{project.id}/images", params={parameter: value})
            assert response.status_code == (200 if (parameter, value) in ALLOWED else 400), (parameter, value)
        named = client.get(f"/api/projects/{project.id}/images", params={"name": value[:200]})
        assert (named.status_code, named.json()["images"]) == (200, [])
        for query in ({"state": value}, {"project": value}):
            assert client.get("/api/jobs", params=query).status_code in (400, 404)
    assert lab.store.images.ids(project.id) == (image.id,)


def test_no_word_of_sql_is_a_sort() -> None:
    words = {row[0] for row in duckdb.sql("SELECT keyword_name FROM duckdb_keywords()").fetchall()}
    for word in words - SORTS.keys():
        for sort in (word, f"-{word}", word.upper()):
            with pytest.raises(InvalidRequest):
                Sort.parse(sort)


ALLOWED = {("limit", "1"), ("offset", "1"), ("page", "1")}


def test_no_id_reaches_anything_else(client: TestClient, addresses: list[str], lab: Lab) -> None:
    patterns = ["/api/projects/{}/images", "/api/images/{}", "/thumbs/{}", "/views/{}.png"]
    patterns += ["/downloads/images/{}/original", "/downloads/projects/{}/objects.csv"]
    for value in INJECTIONS:
        for pattern in patterns:
            response = client.get(pattern.format(quote(value, safe="")))
            assert response.status_code == 404, (pattern, value)
            assert response.json()["error"]["code"] == "not_found"
    assert len(lab.store.projects.list()) == 1


def test_ids_cannot_be_guessed_from_files(client: TestClient, lab: Lab) -> None:
    image = lab.image(lab.project(), "a.png")
    for guess in (image.sha256, image.name, digest(b"1"), image.id[:-1], image.id.upper() + " ", "0", "1"):
        assert client.get(f"/downloads/images/{guess}/original").status_code == 404


def test_a_fault_says_nothing_about_the_inside(services: Services) -> None:
    def failing() -> Services:
        raise RuntimeError("secret-marker /home/someone/data")

    app = Starlette(
        routes=http.routes(failing),
        middleware=http.middleware(services.settings, lambda: services),
    )
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        response = client.get("/api/projects")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "unexpected"
    assert "secret-marker" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_names_do_not_get_into_the_log(
    client: TestClient, lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="core")
    project = lab.project("secret-marker")
    lab.image(project, "secret-marker.png")
    client.get(f"/api/projects/{project.id}/images?name=secret-marker")
    client.get(f"/api/projects/{project.id}/images?sort=secret-marker")
    client.get(f"/downloads/projects/{project.id}/objects.csv")
    assert "secret-marker" not in caplog.text


def test_long_range_headers_are_not_answered_with_more_than_the_file(client: TestClient, lab: Lab) -> None:
    image = lab.image(lab.project(), "a.png")
    size = len(client.get(f"/downloads/images/{image.id}/original").content)
    for ranges in ("bytes=" + "0-," * 3400, "bytes=" + ",".join(["0-0"] * 2500), "bytes=" + "9" * 10_000):
        response = client.get(f"/downloads/images/{image.id}/original", headers={"Range": ranges})
        assert response.status_code in (200, 206, 400, 416)
        assert len(response.content) <= size


def test_a_plain_route_of_another_app_is_left_alone(services: Services) -> None:
    app = Starlette(
        routes=[Route("/other", lambda _: PlainTextResponse("x"))],
        middleware=http.middleware(services.settings, lambda: services),
    )
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/other").text == "x"
