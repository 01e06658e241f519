"""Downloads: the tables, the file as it came, the mask and the overlay, under names that any system takes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

import anyio
import anyio.to_thread
import cv2
import numpy as np
import pytest
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from core.http import files
from core.http.answers import attachment
from core.http.tables import TableAnswer
from core.listing import export_rows
from core.services import Services
from tests import corpus
from tests.http.conftest import application
from tests.http.lab import MASK, Lab, disc


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
    assert (rows[1]["area_px2"], rows[1]["area_um2"]) == ("314", "1256.0")


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
        "column": "area_px2",
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
        headers = {"Range": "bytes=1000-", "If-Range": whole.headers["etag"]}
        rest = client.get(address, headers=headers)
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
    """Pieces without end that know whether they are being read, and whether they have been closed."""

    def __init__(self) -> None:
        self.opened = False
        self.closed = False

    def pieces(self) -> Iterator[str]:
        self.opened = True
        try:
            while True:
                yield "a,b\r\n"
        finally:
            self.closed = True


def table(
    services: Services, source: Source, limiter: anyio.CapacityLimiter, tag: str = "tag"
) -> TableAnswer:
    return TableAnswer(services.exports.tables, tag, source.pieces, {"ETag": f'"{tag}"'}, limiter)  # type: ignore[arg-type]


SCOPE = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.4"}}


def test_nothing_is_read_any_more_when_the_client_goes_away(services: Services) -> None:
    source, sent = Source(), []

    async def receive() -> Any:
        while not source.opened:
            await anyio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def serve() -> None:
        await table(services, source, anyio.CapacityLimiter(1))(SCOPE, receive, send)

    anyio.run(serve)
    assert (source.closed, sent) == (True, [])


def test_tables_that_wait_hold_no_thread_that_others_need(services: Services) -> None:
    sources = [Source() for _ in range(60)]  # more than there are threads for requests

    async def serve() -> None:
        limiter, left = anyio.CapacityLimiter(2), anyio.Event()

        async def receive() -> Any:
            await left.wait()
            return {"type": "http.disconnect"}

        async with anyio.create_task_group() as group:
            for number, source in enumerate(sources):
                group.start_soon(table(services, source, limiter, f"tag{number}"), SCOPE, receive, print)
            while sum(source.opened for source in sources) < 2:
                await anyio.sleep(0)
            with anyio.fail_after(60):
                assert await anyio.to_thread.run_sync(lambda: "answered") == "answered"
            assert sum(source.opened for source in sources) == 2
            left.set()

    anyio.run(serve)
    assert all(source.closed for source in sources if source.opened)


def test_a_client_that_reads_nothing_is_disconnected(
    client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "STALLED_SECONDS", 0.05)
    image = lab.image(lab.project(), "a.png")

    async def send(_message: Any) -> None:
        await anyio.sleep_forever()

    async def serve() -> None:
        answer = files.FileAnswer(lab.blobs.path(image.sha256), "tag", "image/png", {})
        with pytest.raises(TimeoutError):
            await answer(SCOPE, anyio.sleep_forever, send)

    anyio.run(serve)


def test_a_table_can_be_resumed_and_says_how_long_it_is(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), disc(1), disc(2))
    address = f"/downloads/projects/{project.id}/objects.csv"
    head = client.head(address)
    whole = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert whole.headers["content-length"] == head.headers["content-length"] == str(len(whole.content))
    part = {"Range": "bytes=100-", "If-Range": whole.headers["etag"]}
    rest = client.get(address, headers=part)
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    lab.measured(lab.image(project, "b.tif"), disc(1))
    again = client.get(address, headers=part)
    assert (again.status_code, len(rows_of(again))) == (200, 3)


def test_rows_that_come_between_counting_and_reading_are_not_cut_off(
    services: Services, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.tif"), disc(1), disc(2))
    limited = replace(services, settings=replace(services.settings, max_export_rows=2))
    size, count = lab.store.results.size, lab.store.objects.count

    def grow(*_: object) -> None:
        lab.measured(image, disc(1), disc(2), disc(3))

    def counted_then_grown(counting: Any) -> Any:
        def counted(*arguments: object) -> object:
            total = counting(*arguments)
            grow()
            return total

        return counted

    monkeypatch.setattr(lab.store.results, "size", counted_then_grown(size))
    monkeypatch.setattr(lab.store.objects, "count", counted_then_grown(count))
    with TestClient(application(limited), base_url="http://localhost") as opened:
        for name in ("objects", "measurements"):
            lab.measured(image, disc(1), disc(2))
            answer = opened.get(f"/downloads/projects/{project.id}/{name}.csv")
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
            assert "at most 2 are given" in answer.json()["error"]["message"]


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


def test_compressed_and_plain_answers_have_tags_of_their_own(services: Services, lab: Lab) -> None:
    app = application(services)
    # As in the app: the compression lies between our middleware and the routes.
    app.user_middleware.append(Middleware(GZipMiddleware, minimum_size=10))
    with TestClient(app, base_url="http://localhost") as client:
        address = "/downloads/formulas.csv"
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content
        assert packed.headers["etag"] != plain.headers["etag"]
        for answer in (plain, packed):
            again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.headers["etag"]) == (304, answer.headers["etag"])


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
    assert ["accept-ranges" in answer.headers for answer in answers] == [True, False]


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
