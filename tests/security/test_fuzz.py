"""Fuzz: files and changing requests at random. No crash, no hang, no error without a name.

The short form runs a fixed number of examples. The long form (``full``) goes on for FUZZ_SECONDS, ten minutes
unless the environment says otherwise, half of them for files; every round has a seed of its own, which
Hypothesis prints for an example that fails.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.schemas import OpenApiSchema
from starlette.testclient import TestClient

from core.errors import ImageError, SpheroscopeError
from core.http.errors import STATUSES
from core.models import Limits
from tests.corpus import decode, inspect
from tests.http.conftest import CHANGES
from tests.http.conftest import DOCUMENT as OPENAPI
from tests.security.conftest import UPLOAD, Walk
from tests.security.test_hostile_images import IN_CHILD, SMALL, alarm

SECONDS = float(os.environ.get("FUZZ_SECONDS", "600"))
ROUND = 200  # examples between two looks at the clock
SHORT = 25
HANG_SECONDS = 30.0  # nothing here takes one on any machine
LIMITS = Limits(max_pixels=1_000_000)  # a width that a flipped byte made large is not what is looked for
NAMED = {kind.code for kind, status in STATUSES if status == 503}
HOSTILE = st.sampled_from(
    ["", "0", "..", "%2e%2e", "a\0b", "\u202e", "💥", "x" * 3000, "'; --", "NaN", "null"]
)
FILES = {name: build() for name, build in SMALL.items() if name not in IN_CHILD}
MAGIC = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"II*\0",
    b"MM\0*",
    b"II+\0\x08\0\0\0",
    b"BM",
    b"PK\x03\x04",
)
FUZZ = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


def for_a_while(test: Callable[[], None], seconds: float) -> int:
    """Run a Hypothesis test with one seed after another until the time is over; return how many."""
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        number += 1
        seed(random.randrange(2**32))(test)()
    return number


# Files


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A file of one of the formats, cut, spliced, with bytes changed, doubled or set to their greatest."""
    data = bytearray(draw(st.sampled_from(sorted(FILES.values()))))
    for _ in range(draw(st.integers(1, 5))):
        if not data:
            break
        place = draw(st.integers(0, len(data) - 1) | st.integers(0, min(200, len(data) - 1)))
        length = draw(st.sampled_from([1, 2, 4, 8, 64]))
        how = draw(st.sampled_from(["set", "greatest", "cut", "double", "leave out", "splice"]))
        if how == "set":
            data[place : place + length] = draw(st.binary(min_size=length, max_size=length))
        elif how == "greatest":
            data[place : place + length] = b"\xff" * length
        elif how == "cut":
            del data[place:]
        elif how == "double":
            data[place:place] = data[place : place + length * 8]
        elif how == "leave out":
            del data[place : place + length]
        else:
            data[place:] = draw(st.sampled_from(sorted(FILES.values())))[place:]
    return bytes(data)


ANY_FILES = damaged_files() | st.builds(bytes.__add__, st.sampled_from(MAGIC), st.binary(max_size=600))


def decode_any(data: bytes) -> None:
    """Read a file as an upload and a job do; only an error that says what is wrong with it may come."""
    with suppress(ImageError), alarm(HANG_SECONDS):
        for facts in inspect(data, LIMITS):
            raster = decode(data, facts.page, LIMITS)
            assert raster.pixels.shape[:2] == (facts.height, facts.width)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(FUZZ, max_examples=300)
@given(data=ANY_FILES)
def test_any_file_is_read_or_refused(data: bytes) -> None:
    decode_any(data)


@pytest.mark.full
@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_file_is_read_or_refused_for_long() -> None:
    assert for_a_while(settings(FUZZ, max_examples=ROUND)(given(data=ANY_FILES)(decode_any)), SECONDS / 2)


# Routes


def operations() -> list[tuple[str, str]]:
    """Every method and address that changes something, as the OpenAPI document has them."""
    return [(method, path) for path, methods in CHANGES.items() for method in methods]


SCHEMA: OpenApiSchema = schemathesis.openapi.from_dict(OPENAPI)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


class Fuzz:
    """Sends requests at random to an app with accounts, as an owner of one of its projects."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._client: TestClient = walk.callers["owner"]
        version = walk.door.services.store.images.get(walk.image.id).version_id
        self._known: dict[str, list[Any]] = {
            "version_id": [version, None],
            "in_force": [version, None],
            "base_revision": [0, 1, 5],
            "revision": [1, 2, 5],
            "images": [[walk.image.id], []],
            "number": [1, 2, None],
            "box": [[5, 5, 10, 10], [0, 0, 53, 37], [-1, 0, 2, 2], [52, 36, 9, 9]],
            "runs": [[0, 100], [0, 5, 10, 5], [], [0], [5, -1], [0, 10**9]],
            "x": [7.5, 0.0, 60.0],
            "y": [7.5, 36.9],
        }
        self.answers: dict[int, int] = {}

    def ask(self, method: str, path: str, draw: st.DataObject) -> None:
        """Send one request; any answer will do that is no fault of the app."""
        mode = draw.draw(st.sampled_from(list(GenerationMode)))
        case = draw.draw(SCHEMA[path][method].as_strategy(generation_mode=mode))
        body = case.body if isinstance(case.body, dict | list) else draw.draw(ANY_JSON)
        content = self._content(body, draw)
        headers = {"Idempotency-Key": draw.draw(st.sampled_from(["a", "b", "x" * 200]) | st.uuids().map(str))}
        if draw.draw(st.integers(0, 5)):
            headers["Content-Type"] = "application/json"
        if not draw.draw(st.integers(0, 3)):
            headers["Upload-Offset"] = draw.draw(st.sampled_from(["0", "1", "-1", "9" * 30, "x"]))
            headers["Upload-Length"] = draw.draw(
                st.sampled_from(["0", "9", "100000000000", "½".encode().hex()])
            )
        query = {name: draw.draw(st.just(value) | HOSTILE) for name, value in (case.query or {}).items()}
        with alarm(HANG_SECONDS):
            answer = self._client.request(
                method, self._address(path, draw), params=query, headers=headers, content=content
            )
        status = answer.status_code
        self.answers[status] = self.answers.get(status, 0) + 1
        if status >= 500:
            assert status == 503, answer.text
            assert answer.json()["error"]["code"] in NAMED
        elif status >= 400:
            assert answer.json()["error"]["message"]

    def _address(self, path: str, draw: st.DataObject) -> str:
        known = self._walk.project.id if "/projects/" in path else self._walk.image.id
        item = known if draw.draw(st.integers(0, 4)) else draw.draw(HOSTILE.filter(bool))
        key = draw.draw(st.sampled_from([UPLOAD, "b", "x" * 200]) | HOSTILE.filter(bool))
        return path.replace("{id}", quote(item, safe="")).replace("{key}", quote(key, safe=""))

    def _content(self, body: Any, draw: st.DataObject) -> bytes:
        kind = draw.draw(st.sampled_from(["known", "known", "json", "file", "bytes"]))
        if kind == "file":
            return draw.draw(ANY_FILES)
        if kind == "bytes":
            return draw.draw(st.binary(max_size=200))
        chance = draw.draw(st.randoms(use_true_random=False))
        return json.dumps(self._grounded(body, chance) if kind == "known" else body).encode()

    def _grounded(self, body: Any, chance: random.Random) -> Any:
        """Return a body with values that there are in place of most of those made up."""
        if isinstance(body, list):
            return [self._grounded(item, chance) for item in body]
        if not isinstance(body, dict):
            return body
        return {
            name: chance.choice(self._known[name])
            if name in self._known and chance.random() < 0.8
            else self._grounded(value, chance)
            for name, value in body.items()
        }


def fuzz_of(fuzz: Fuzz, method: str, path: str) -> Callable[[], None]:
    @given(draw=st.data())
    def ask(draw: st.DataObject) -> None:
        fuzz.ask(method, path, draw)

    return ask


def assert_whole(walk: Walk) -> None:
    """The app still answers, and what was there is."""
    owner = walk.callers["owner"]
    assert owner.get(f"/api/images/{walk.image.id}").status_code == 200
    assert owner.get(f"/downloads/images/{walk.image.id}/original").status_code == 200
    assert owner.get(f"/api/images/{walk.image.id}/objects").status_code == 200
    assert walk.callers["member elsewhere"].get("/api/projects").json()["total"] == 1
    with pytest.raises(SpheroscopeError):
        walk.door.services.store.projects.get("0")


def test_any_change_that_is_sent_has_an_answer(walk: Walk) -> None:
    fuzz = Fuzz(walk)
    for method, path in operations():
        settings(FUZZ, max_examples=SHORT, derandomize=True)(fuzz_of(fuzz, method, path))()
    assert_whole(walk)
    assert {200, 400} <= fuzz.answers.keys(), "some of it has to be what the app takes"


@pytest.mark.full
@pytest.mark.timeout(SECONDS + 600)
def test_any_change_that_is_sent_has_an_answer_for_long(walk: Walk) -> None:
    fuzz, changing = Fuzz(walk), operations()
    for method, path in changing:
        for_a_while(
            settings(FUZZ, max_examples=ROUND)(fuzz_of(fuzz, method, path)), SECONDS / 2 / len(changing)
        )
    assert_whole(walk)
