"""The server is killed while outlines are corrected: of all gestures only the one under way may be lost."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from core.corrections import Draft, Region, regions_of
from core.corrections.operations import planned
from core.db import Database
from core.monitoring import QueryRecorder
from core.store import Store
from tests.browser.editing import HEIGHT, WIDTH, Scene, discs, made_scene
from tests.corrections.scenes import random_gesture
from tests.faults.child import NURSERY
from tests.faults.correcting_server import serve

ALARM_SECONDS = 120
Objects = dict[int, Region]

pytestmark = pytest.mark.slow


class Gone(Exception):
    """The server ended before it answered."""


class Client:
    """What the editor's outbox does: one gesture after the other, each with a key of its own."""

    def __init__(self, port: int, scene: Scene) -> None:
        self._scene = scene
        self._address = f"http://127.0.0.1:{port}/api/images/{scene.image_id}/corrections"

    def state(self) -> tuple[int, Objects]:
        """The revision and the outlines that are stored."""
        answer = self._ask(Request(self._address))
        objects = {item["number"]: Region.from_json(item) for item in answer["objects"]}
        return answer["revision"], {number: region for number, region in objects.items() if region}

    def send(self, key: str, body: dict[str, Any], to: str = "") -> dict[str, Any]:
        """Send a gesture, or a step back or forth.

        Raises:
            Gone: nobody knows whether it was stored.
        """
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        body = {"version_id": self._scene.version_id, **body}
        return self._ask(Request(self._address + to, json.dumps(body).encode(), headers))

    def _ask(self, request: Request) -> dict[str, Any]:
        try:
            with urlopen(request, timeout=ALARM_SECONDS) as answer:
                content: dict[str, Any] = json.load(answer)
                return content
        except HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        except (URLError, OSError, http.client.HTTPException, ValueError) as error:
            raise Gone from error


@contextmanager
def served(folder: Path, scene: Scene) -> Iterator[tuple[Client, Callable[[float], None]]]:
    """A server on the folder, and what kills it after some seconds; it is killed at the end at the latest."""
    heard, say = NURSERY.Pipe(duplex=False)
    process = NURSERY.Process(target=serve, args=(folder, say))
    process.start()
    say.close()
    alarm = threading.Timer(ALARM_SECONDS, process.kill)
    alarm.start()
    killers = [alarm]

    def kill_in(seconds: float) -> None:
        killers.append(threading.Timer(seconds, process.kill))
        killers[-1].start()

    try:
        yield Client(heard.recv(), scene), kill_in
    finally:
        for killer in killers:
            killer.cancel()
            killer.join()
        process.kill()
        process.join()
        process.close()
        heard.close()


def gesture_body(rng: np.random.Generator, revision: int, objects: Objects) -> dict[str, Any]:
    """What a random stroke changes; perhaps nothing."""
    draft = Draft.begin("image", "version", (HEIGHT, WIDTH), objects)
    tool, regions = random_gesture(rng, draft)
    changes = planned(objects, regions, max(objects, default=0) + 1)
    sent = [
        {"number": item.number if item.number in objects else None}
        | (item.after.to_json() if item.after else {"runs": []})
        for item in changes
    ]
    return {"base_revision": revision, "tool": str(tool), "objects": sent}


def after(objects: Objects, answer: dict[str, Any]) -> Objects:
    """Outlines once a gesture is applied, by its answer."""
    state = dict(objects)
    for item in answer["objects"]:
        state.pop(item["number"], None)
        region = Region.from_json(item) if item["box"] else None
        if region is not None:
            state[item["number"]] = region
    return state


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.full)])
def test_kills_amid_a_correction_lose_at_most_the_gesture_under_way(
    tmp_path: Path, rng: random.Random, kills: int
) -> None:
    scene = made_scene(tmp_path, discs())
    draws = np.random.default_rng(rng.randrange(10**9))
    revision, objects = 0, dict(regions_of(discs()))
    under_way: tuple[str, dict[str, Any]] | None = None
    counted = lost = 0
    for turn in range(kills + 1):
        with served(tmp_path, scene) as (client, kill_in), suppress(Gone):
            stored, found = client.state()
            assert stored - revision in ((0, 1) if under_way else (0,))
            assert stored > revision or found == objects, "what was answered is there"
            lost += under_way is not None and stored == revision
            if under_way:  # sent again, as the outbox does: it is there once, whether it had arrived or not
                answer = client.send(*under_way)
                assert answer["revision"] == revision + 1
                revision, objects = answer["revision"], after(objects, answer)
                assert client.state() == (revision, objects)
                under_way = None
            last = counted + rng.randint(1, 4)  # gesture of this server: it is killed about then
            while turn < kills:
                body = gesture_body(draws, revision, objects)
                if not body["objects"]:
                    continue
                counted += 1
                if counted == last:
                    kill_in(rng.uniform(0.0, 0.03))
                under_way = (f"gesture {counted}", body)
                answer = client.send(*under_way)
                revision, objects, under_way = answer["revision"], after(objects, answer), None
    with served(tmp_path, scene) as (client, _):
        for step in range(revision):
            body = {"base_revision": revision + step}
            objects = after(objects, client.send(f"undo {step}", body, "/undo"))
        assert client.state() == (2 * revision, objects)
        assert objects == regions_of(discs())
    print(f"{counted} gestures, {kills} kills, {lost} not stored when the server was killed")
    assert under_way is None
    assert counted >= kills
    db = Database.open(tmp_path / "spheroscope.duckdb", QueryRecorder())
    assert Store(db).correction_audit.verify().wrong is None
    db.close()
