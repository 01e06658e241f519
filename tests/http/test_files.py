"""Files in parts: what RFC 9110 says of Range, If-Range, ETag and HEAD, and downloads that break off."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from core.export import ExportRequest, Part
from core.http.answers import conditional
from core.http.files import FileAnswer
from core.services import Services
from tests.http.lab import Lab, disc
from tests.polling import wait_until

DATA = random.Random(0).randbytes(10_000)
TAG = "tag-1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("files") / "data.bin"
    path.write_bytes(DATA)

    def answer(request: Request) -> Response:
        return conditional(request, TAG, "no-cache", lambda: FileAnswer(path, TAG, "application/zip", {}))

    with TestClient(Starlette(routes=[Route("/file", answer)])) as opened:
        yield opened


@pytest.mark.parametrize(
    ("byte_range", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=9000-", 9000, 9999),
        ("bytes=-100", 9900, 9999),
        ("bytes=-20000", 0, 9999),
        ("bytes=9990-99999", 9990, 9999),
        ("Bytes=5-5", 5, 5),
        ("bytes=10-19,99999-", 10, 19),
    ],
)
def test_a_part_is_given(client: TestClient, byte_range: str, first: int, last: int) -> None:
    answer = client.get("/file", headers={"Range": byte_range})
    assert answer.status_code == 206
    assert answer.content == DATA[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/10000"
    assert answer.headers["content-length"] == str(last + 1 - first)
    assert answer.headers["etag"] == f'"{TAG}"'


def test_several_parts_are_given(client: TestClient) -> None:
    answer = client.get("/file", headers={"Range": "bytes=0-9, 20-29, -5"})
    assert answer.status_code == 206
    boundary = answer.headers["content-type"].partition("boundary=")[2].encode()
    parts = answer.content.split(b"--" + boundary)[1:-1]
    bodies = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]
    assert bodies == [DATA[0:10], DATA[20:30], DATA[-5:]]
    assert re.findall(rb"content-range: (.+?)\r", answer.content, re.IGNORECASE) == [
        b"bytes 0-9/10000",
        b"bytes 20-29/10000",
        b"bytes 9995-9999/10000",
    ]


@pytest.mark.parametrize("byte_range", ["bytes=10000-", "bytes=-0", "bytes=20000-30000, 99999-"])
def test_a_range_behind_the_end_is_refused_with_the_size(client: TestClient, byte_range: str) -> None:
    answer = client.get("/file", headers={"Range": byte_range})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10000"
    assert answer.json()["error"]["code"] == "range_not_satisfiable"


@pytest.mark.parametrize(
    "byte_range",
    [
        *("bytes=abc", "bytes=", "bytes=-", "items=0-9", "bytes=9-5", "bytes=0-9,7-3", "0-9", "bytes=1.5-2"),
        *("bytes=٣-٤", "bytes=" + "9" * 5000 + "-", "bytes=0-0," * 500),
    ],
)
def test_a_range_that_makes_no_sense_asks_for_the_whole(client: TestClient, byte_range: str) -> None:
    answer = client.get("/file", headers={"Range": byte_range.encode()})
    assert (answer.status_code, answer.content) == (200, DATA)


@given(st.text(st.sampled_from("bytes=0123456789-, "), max_size=40))
def test_no_range_breaks_it(client: TestClient, byte_range: str) -> None:
    answer = client.get("/file", headers={"Range": byte_range})
    assert answer.status_code in (200, 206, 416)


@pytest.mark.parametrize(
    ("if_range", "status"),
    [(f'"{TAG}"', 206), ('"other"', 200), (f'W/"{TAG}"', 200), ("Tue, 01 Jan 2030 00:00:00 GMT", 200)],
)
def test_a_part_is_given_only_of_the_same_bytes(client: TestClient, if_range: str, status: int) -> None:
    answer = client.get("/file", headers={"Range": "bytes=10-19", "If-Range": if_range})
    assert answer.status_code == status
    assert answer.content == (DATA[10:20] if status == 206 else DATA)


def test_a_part_behind_the_end_of_other_bytes_gives_the_whole(client: TestClient) -> None:
    answer = client.get("/file", headers={"Range": "bytes=99999-", "If-Range": '"other"'})
    assert (answer.status_code, answer.content) == (200, DATA)


@pytest.mark.parametrize("known", [f'"{TAG}"', f'W/"{TAG}"', f'"a", "{TAG}"', "*"])
def test_a_file_that_the_client_has_is_304(client: TestClient, known: str) -> None:
    answer = client.get("/file", headers={"If-None-Match": known, "Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == f'"{TAG}"'
    assert client.get("/file", headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_tells_the_size_of_the_whole_and_of_a_part(client: TestClient) -> None:
    whole = client.head("/file")
    assert (whole.status_code, whole.headers["content-length"], whole.content) == (200, "10000", b"")
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.head("/file", headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.headers["content-length"], part.content) == (206, "10", b"")


@pytest.fixture
def exported(services: Services, lab: Lab) -> tuple[str, bytes]:
    """Address and content of an export."""
    project = lab.project("Plate µ")
    for name in ("a.tif", "b.tif"):
        lab.measured(lab.image(project, name), disc(1))
    export_id = services.exports.start(ExportRequest(project.id, frozenset(Part)))
    wait_until(lambda: not services.exports.get(export_id).open)
    return f"/downloads/exports/{export_id}.zip", services.exports.take(export_id)[1].read_bytes()


def test_an_export_cut_anywhere_fifty_times_is_the_same_to_the_byte(
    app: Starlette, exported: tuple[str, bytes]
) -> None:
    address, archive = exported
    cuts = random.Random(6)
    with TestClient(app, base_url="http://localhost") as client:
        tag = client.head(address).headers["etag"]
        taken = b""
        for _ in range(50):
            with client.stream(
                "GET", address, headers={"Range": f"bytes={len(taken)}-", "If-Range": tag}
            ) as answer:
                assert answer.status_code == (206 if taken else answer.status_code)
                left = len(archive) - len(taken)
                taken += answer.read()[: cuts.randrange(left // 10 + 1)]
        rest = client.get(address, headers={"Range": f"bytes={len(taken)}-", "If-Range": tag})
    assert taken + rest.content == archive


def test_an_export_says_how_far_it_is_and_what_it_is_called(
    app: Starlette, services: Services, exported: tuple[str, bytes]
) -> None:
    address, archive = exported
    export_id = Path(address).stem
    with TestClient(app, base_url="http://localhost") as client:
        export = client.get(f"/api/exports/{export_id}").json()
        assert (export["state"], export["done"], export["total"], export["problems"]) == ("ready", 2, 2, 0)
        assert (export["download"], export["n_bytes"]) == (address, len(archive))
        answer = client.get(address, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-type"] == "application/zip"
        assert 'filename="Plate _ 20' in answer.headers["content-disposition"]
        assert client.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        services.exports.cancel(export_id)
        for gone in (address, f"/api/exports/{export_id}", "/downloads/exports/..%2f.zip"):
            assert client.get(gone).status_code == 404
