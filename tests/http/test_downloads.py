"""Downloads: the tables, the file as it came, the mask and the overlay, under names that any system takes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

import anyio
import cv2
import numpy as np
import pytest
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from core.http import files
from core.http.answers import attachment
from core.http.downloads import CsvStream
from core.listing import export_rows
from core.services import Services
from tests import corpus
from tests.http.conftest import application
from tests.http.lab import MASK, Lab, disc
from tests.polling import wait_until


def saved_as(response: Any) -> str:
    """The name under which a browser saves it."""
    assert response.status_code == 200, response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    return name_in(response.headers["content-disposition"])


def name_in(header: str) -> str:
    """``filename*``, which every browser prefers; the other one has to be there and plain."""
    match = re.fullmatch(r"attachment; filename=\"([ -~]+)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)", header)
    assert match
    assert not set(match[1]) & set('"\\%/')
    return unquote(match[2])


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["cache-control"] == "private, no-cache"
    return list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))


def test_objects_of_a_project(client: TestClient, lab: Lab) -> None:
    project = lab.project("Plate µ 1", 2.0)
    lab.measured(lab.image(project, "b.tif"), disc(1, 5))
    lab.measured(lab.image(project, "a.tif"), disc(1, 3), disc(2, 10))
    lab.image(project, "c.tif")
    response = client.get(f"/downloads/projects/{project.id}/objects.csv")
    assert saved_as(response) == "Plate µ 1 objects.csv"
    rows = rows_of(response)
    assert list(rows[0]) == list(export_rows.OBJECT_HEADER)
    assert [(row["path"], row["object"]) for row in rows] == [("a.tif", "1"), ("a.tif", "2"), ("b.tif", "1")]
    assert (rows[1]["area"], rows[1]["area_um2"]) == ("314", "1256.0")


def test_images_of_a_project(client: TestClient, lab: Lab) -> None:
    project = lab.project("Plate 1", 2.0)
    lab.measured(lab.image(project, "a.tif"), disc(1, 10))
    lab.image(project, "b.tif")
    response = client.get(f"/downloads/projects/{project.id}/images.csv")
    assert saved_as(response) == "Plate 1 images.csv"
    rows = rows_of(response)
    assert list(rows[0]) == list(export_rows.IMAGE_HEADER)
    assert [(row["path"], row["status"], row["n_objects"], row["engine"]) for row in rows] == [
        ("a.tif", "done", "1", "classical"),
        ("b.tif", "new", "", ""),
    ]


def test_objects_of_one_image(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "A05 day3.tif"), disc(1), disc(2))
    lab.measured(lab.image(project, "other.tif"), disc(1))
    response = client.get(f"/downloads/images/{image.id}/objects.csv")
    assert saved_as(response) == "A05 day3 objects.csv"
    assert [row["path"] for row in rows_of(response)] == ["A05 day3.tif"] * 2


def test_an_empty_table_has_its_header(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    response = client.get(f"/downloads/projects/{project.id}/objects.csv")
    assert response.text == ",".join(export_rows.OBJECT_HEADER) + "\r\n"


def test_the_formulas(client: TestClient) -> None:
    response = client.get("/downloads/formulas.csv")
    assert saved_as(response) == "formulas.csv"
    assert rows_of(response)[0] == {
        "column": "area",
        "unit": "px²",
        "formula": "pixel count, holes taken out",
    }


def test_a_part_of_a_table_is_never_given_for_the_whole(services: Services, lab: Lab) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.tif"), disc(1), disc(2), disc(3))
    for limit, status in ((2, 400), (3, 200)):
        limited = replace(services, settings=replace(services.settings, max_export_rows=limit))
        with TestClient(application(limited), base_url="http://localhost") as client:
            for address in (f"projects/{project.id}", f"images/{image.id}"):
                response = client.get(f"/downloads/{address}/objects.csv")
                assert response.status_code == status
                assert ("3 rows" in response.text) == (status == 400)


@pytest.mark.parametrize(
    ("data", "name", "kind", "saved"),
    [
        (corpus.png(corpus.noise()), "a.PNG", "image/png", "a.PNG"),
        (corpus.jpeg(corpus.noise()), "photo.jpeg", "image/jpeg", "photo.jpeg"),
        (corpus.bmp(corpus.noise()), "a.bmp", "image/bmp", "a.bmp"),
        (corpus.tiff(corpus.noise()), "zeiss.lsm", "image/tiff", "zeiss.lsm"),
        (corpus.tiff(corpus.noise()), "no suffix", "image/tiff", "no suffix.tif"),
        (corpus.png(corpus.noise()), "wrong.tif", "image/png", "wrong.tif.png"),
        (corpus.png_with_html(), "page.html", "image/png", "page.html.png"),
        (corpus.png(corpus.noise()), "Sphäroid Ж 球.png", "image/png", "Sphäroid Ж 球.png"),
    ],
)
def test_the_original_is_the_file_that_came(
    client: TestClient, lab: Lab, data: bytes, name: str, kind: str, saved: str
) -> None:
    image = lab.image(lab.project(), name, data)
    response = client.get(f"/downloads/images/{image.id}/original")
    assert response.content == data
    assert response.headers["content-type"] == kind
    assert saved_as(response) == saved
    assert "sandbox" in response.headers["content-security-policy"]


def test_pages_of_a_file_share_their_original(client: TestClient, lab: Lab) -> None:
    image = lab.image(lab.project(), "stack.tif", corpus.stack(3))
    assert image.name == "stack.tif#1"
    assert saved_as(client.get(f"/downloads/images/{image.id}/original")) == "stack.tif"
    lab.measured(image, disc())
    assert saved_as(client.get(f"/downloads/images/{image.id}/mask.png")) == "stack_1_mask.png"


def test_an_original_can_be_resumed_and_is_never_compressed(services: Services, lab: Lab) -> None:
    data = corpus.tiff(np.zeros((100, 100), np.uint16))
    image = lab.image(lab.project(), "a.tif", data)
    packed = GZipMiddleware(application(services), minimum_size=10)
    with TestClient(packed, base_url="http://localhost") as client:
        address = f"/downloads/images/{image.id}/original"
        whole = client.get(address)
        assert (whole.content, whole.headers["content-length"]) == (data, str(len(data)))
        asked = {"Range": "bytes=1000-", "If-Range": whole.headers["etag"]}
        rest = client.get(address, headers=asked)
        assert (rest.status_code, rest.content) == (206, data[1000:])
        assert client.get(address, headers={"Range": "bytes=99999999-"}).status_code == 416


@pytest.mark.parametrize(
    ("harm", "code"),
    [(lambda path: path.unlink(), "blob_missing"), (lambda path: path.write_bytes(b"II*\0"), "blob_damaged")],
)
def test_a_lost_or_damaged_original_is_said_to_be_so(
    client: TestClient, services: Services, lab: Lab, harm: Any, code: str
) -> None:
    image = lab.image(lab.project(), "a.png")
    harm(services.blobs.path(image.sha256))
    response = client.get(f"/downloads/images/{image.id}/original")
    assert (response.status_code, response.json()["error"]["code"]) == (500, code)


def test_the_mask_is_the_stored_label_image(client: TestClient, lab: Lab) -> None:
    image = lab.measured(lab.image(lab.project(), "a.tif"), disc())
    response = client.get(f"/downloads/images/{image.id}/mask.png")
    assert (response.content, response.headers["content-type"]) == (MASK, "image/png")
    assert saved_as(response) == "a_mask.png"


def test_the_overlay_is_the_image_with_its_outlines(client: TestClient, lab: Lab) -> None:
    image = lab.measured(lab.image(lab.project(), "a.png", corpus.png(corpus.noise((40, 50)))), disc())
    response = client.get(f"/downloads/images/{image.id}/overlay.png")
    assert saved_as(response) == "a_overlay.png"
    drawn = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert drawn.shape == (40, 50, 3)
    assert np.ptp(drawn, axis=2).max() > 100  # outlines are coloured, the image is grey


@pytest.mark.parametrize("name", ["mask.png", "overlay.png"])
def test_without_a_result_there_is_nothing_to_draw(client: TestClient, lab: Lab, name: str) -> None:
    image = lab.image(lab.project(), "a.png")
    response = client.get(f"/downloads/images/{image.id}/{name}")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "a.png has no outlines yet. Segment it first."


HOSTILE_NAMES = [
    'a"; filename="evil.exe',
    "a\r\nSet-Cookie: x=1",
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "C:\\a.csv",
    "%2e%2e%2fa",
    "\u202egpj.exe",
    "a\0b",
    ".hidden",
    "...",
    "",
    " ",
    "日本",
    "x" * 5000,
    "😀;=,'*",
    "\ud800",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_any_name_makes_a_safe_header(name: str) -> None:
    saved = name_in(attachment(f"{name} objects.csv"))
    assert PurePath(saved).name == saved
    assert saved.endswith("objects.csv")
    assert not saved.startswith((".", " "))
    assert len(saved) <= 200


def test_an_ascii_name_is_left_as_it_is() -> None:
    assert attachment("A05 day-3 (1).tif") == (
        "attachment; filename=\"A05 day-3 (1).tif\"; filename*=UTF-8''A05%20day-3%20%281%29.tif"
    )
    assert attachment("Zelle ä.tif").startswith('attachment; filename="Zelle a.tif";')
    assert attachment("日本 µ.tif").startswith('attachment; filename="__ _.tif";')


FORMULAS = [
    *("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")'),
    *("-2+3+cmd|' /C calc'!A0", "=1;2", '"=1"', "a,b", "a\nb", "a;b", "'=1", "＝1", "%0A=1", "@", "-", "="),
]


def test_no_name_becomes_a_formula(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    for number, name in enumerate(FORMULAS):
        data = corpus.png(corpus.noise(seed=number))
        lab.measured(lab.image(project, name, data), disc(1, intensity_mean=-1.5))
    for table in ("images", "objects"):
        rows = rows_of(client.get(f"/downloads/projects/{project.id}/{table}.csv"))
        assert sorted(row["path"].removeprefix("'") for row in rows) == sorted(
            name.removeprefix("'") for name in FORMULAS
        )
        assert not [row["path"] for row in rows if row["path"].startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {row["intensity_mean"] for row in rows} == {"-1.5"}


class Source:
    """Pieces without end that know whether they have been closed."""

    def __init__(self) -> None:
        self.closed = False

    def pieces(self) -> Iterator[str]:
        try:
            while True:
                yield "a,b\r\n" * 1000
        finally:
            self.closed = True


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
def test_nothing_is_read_any_more_when_the_client_goes_away(services: Services, spec: str) -> None:
    source = Source()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 3 and spec == "2.4":
            raise OSError("the connection is gone")

    async def receive() -> Any:
        while len(sent) < 3:
            await anyio.sleep(0)
        return {"type": "http.disconnect"}

    async def serve() -> None:
        response = CsvStream(services.exports.spool(source.pieces()), {})  # type: ignore[arg-type]
        scope = {"type": "http", "method": "GET", "asgi": {"spec_version": spec}}
        with suppress(ClientDisconnect):
            await response(scope, receive, send)

    anyio.run(serve)
    wait_until(lambda: source.closed)
    assert len(sent) < 1000


def test_who_takes_nothing_is_given_up(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "STALLED_S", 0.05)
    source = Source()

    async def send(_message: Any) -> None:
        await anyio.sleep_forever()

    async def receive() -> Any:
        await anyio.sleep_forever()

    async def serve() -> None:
        response = CsvStream(services.exports.spool(source.pieces()), {})  # type: ignore[arg-type]
        with suppress(ClientDisconnect):
            await response({"type": "http", "method": "GET", "asgi": {"spec_version": "2.4"}}, receive, send)

    anyio.run(serve)
    wait_until(lambda: source.closed)


def test_a_table_that_has_not_changed_is_not_sent_again(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1))
    address = f"/downloads/projects/{project.id}/objects.csv"
    first = client.get(address)
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get(address, headers=known).status_code == 304
    assert client.head(address).headers["etag"] == first.headers["etag"]
    assert client.get(f"{address}?status=done").headers["etag"] != first.headers["etag"]
    lab.measured(lab.image(project, "b.tif"), disc(1))
    again = client.get(address, headers=known)
    assert (again.status_code, len(rows_of(again))) == (200, 2)


def test_compressed_and_plain_tables_have_tags_of_their_own(services: Services, lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1), disc(2))
    app = application(services)
    # As in the app: the compression lies between our middleware and the routes.
    app.user_middleware.append(Middleware(GZipMiddleware, minimum_size=10))
    with TestClient(app, base_url="http://localhost") as client:
        address = f"/downloads/projects/{project.id}/objects.csv"
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content
        assert packed.headers["etag"] != plain.headers["etag"]
        for answer in (plain, packed):
            told = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
            assert (told.status_code, told.headers["etag"]) == (304, answer.headers["etag"])


@pytest.mark.parametrize(
    ("query", "names"),
    [("status=done", ["a.tif"]), ("name=B", ["b.tif"]), ("status=new,done&name=.tif", ["a.tif", "b.tif"])],
)
def test_a_filter_narrows_the_tables(client: TestClient, lab: Lab, query: str, names: list[str]) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1))
    lab.image(project, "b.tif", corpus.png(corpus.noise(seed=9)))
    shown = rows_of(client.get(f"/downloads/projects/{project.id}/images.csv?{query}"))
    assert [row["path"] for row in shown] == names
    objects = rows_of(client.get(f"/downloads/projects/{project.id}/objects.csv?{query}"))
    assert [row["path"] for row in objects] == [name for name in names if name == "a.tif"]
    refused = client.get(f"/downloads/projects/{project.id}/images.csv?status=gone")
    assert refused.status_code == 400


def test_tables_are_the_same_without_streaming(services: Services, lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1), disc(2))
    answers = []
    for streaming in (True, False):
        switched = replace(services, settings=replace(services.settings, streaming=streaming))
        with TestClient(application(switched), base_url="http://localhost") as client:
            answers.append(client.get(f"/downloads/projects/{project.id}/objects.csv"))
    assert answers[0].content == answers[1].content
    assert [("content-length" in answer.headers) for answer in answers] == [False, True]


def test_a_query_that_fails_does_so_before_the_status_is_sent(
    client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[Any]:
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(type(lab.store.results), "objects", broken)
    project = lab.project()
    quiet = TestClient(client.app, base_url="http://localhost", raise_server_exceptions=False)
    assert quiet.get(f"/downloads/projects/{project.id}/objects.csv").status_code == 500
