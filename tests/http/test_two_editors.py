"""Two people correct one image through the routes, each behind the other: nothing is lost in silence."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from starlette.testclient import TestClient

from core.corrections import Draft, Region, labels_of, regions_of
from core.corrections.operations import planned
from core.corrections.regions import parts_of
from core.images import label_png
from core.segmentation import describe
from core.services import Services
from core.settings import Settings
from core.store.results import Result
from tests import corpus
from tests.corrections.scenes import SHAPE, random_gesture, random_labels
from tests.factories import claim
from tests.http.conftest import application
from tests.http.lab import RECIPE, Lab

PEOPLE = st.sampled_from(["ada", "ben"])
USER_HEADER = "X-Remote-User"
Objects = dict[int, Region]


@dataclass(frozen=True)
class Outlines:
    """A version of the image."""

    version_id: str
    objects: Objects


class Server:
    """An app in this process, and images that are segmented already."""

    def __init__(self, folder: Path) -> None:
        self.services = Services.open(
            Settings(data=folder, user_header=USER_HEADER, container_memory_limit_mb=16_384)
        )
        self.services.queue.drain(5)
        self.client = TestClient(application(self.services), base_url="http://localhost")
        self._lab = Lab(self.services.store, self.services.blobs)
        self._project = self._lab.project()
        self._names = itertools.count()

    def image(self, labels: Any) -> tuple[str, str]:
        """Ids of an image with these outlines, and of its version."""
        pixels = np.where(labels > 0, 40, 200).astype(np.uint8)
        store, blobs = self.services.store, self.services.blobs
        name = f"{next(self._names)}.png"
        added = self._lab.image(self._project, name, corpus.png(pixels) + name.encode())
        store.jobs.enqueue(added.project_id, [added.id], RECIPE)
        result = Result(
            engine=RECIPE.engine,
            engine_version=RECIPE.engine_version,
            params={},
            spheroids=describe(labels, pixels),
            labels_sha256=blobs.put(label_png.encode(labels)),
            thumbnail_sha256=blobs.put(b"thumbnail"),
            timings_ms={},
        )
        assert store.results.finish(claim(store), result)
        version_id = store.images.get(added.id).version_id
        assert version_id is not None
        return added.id, version_id

    def close(self) -> None:
        self.client.close()
        self.services.close()


class TwoBrowsers(RuleBasedStateMachine):
    """Each person sees outlines as they last loaded them; what is accepted stays until it is named again."""

    server: Server

    @initialize(seed=st.integers(0, 2**32))
    def open(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        drawn = regions_of(random_labels(self.rng))
        labels = labels_of({number: parts_of(region)[0] for number, region in drawn.items()}, SHAPE)
        self.image_id, self.version_id = self.server.image(labels)
        self.keys = itertools.count()
        self.expected: Objects = dict(regions_of(labels))
        self.revision = 0
        self.in_force = Outlines(self.version_id, dict(self.expected))
        self.parent = self.in_force
        self.discarded: dict[str, tuple[int, Outlines, Objects]] = {}
        self.seen = {name: (0, self.version_id, dict(self.expected)) for name in ("ada", "ben")}

    @rule(person=PEOPLE)
    def reload(self, person: str) -> None:
        answer = self.server.client.get(self._address()).json()
        self.seen[person] = (answer["revision"], answer["version_id"], _objects(answer["objects"]))
        assert self.seen[person] == (self.revision, self.parent.version_id, self.expected)

    @rule(person=PEOPLE)
    def gesture(self, person: str) -> None:
        base, _, seen = self.seen[person]
        tool, regions = random_gesture(self.rng, Draft.begin("image", "version", SHAPE, seen))
        changes = planned(seen, regions, max(seen, default=0) + 1)
        objects = [
            {"number": item.number if item.number in seen else None}
            | (item.after.to_json() if item.after else {"runs": []})
            for item in changes
        ]
        if objects:
            self._send(person, "", {"base_revision": base, "tool": str(tool), "objects": objects})

    @rule(person=PEOPLE)
    def undo(self, person: str) -> None:
        self._send(person, "/undo", {"base_revision": self.seen[person][0]})

    @rule(person=PEOPLE)
    def redo(self, person: str) -> None:
        self._send(person, "/redo", {"base_revision": self.seen[person][0]})

    @rule(person=PEOPLE)
    def discard(self, person: str) -> None:
        revision = self.seen[person][0]
        if revision == 0:
            return
        answer = self._request(person, "DELETE", "", {"revision": revision})
        if revision != self.revision:
            assert answer.status_code == 409, "nobody discards what they have not seen"
            assert answer.json()["error"]["message"]
            return
        assert answer.status_code == 204, answer.text
        latest = self.server.client.get(self._address() + "/discarded").json()["discarded"][0]
        assert latest["discarded_by"] == person
        self.discarded[latest["id"]] = (self.revision, self.parent, self.expected)
        self._ended()

    @rule(person=PEOPLE)
    def done(self, person: str) -> None:
        revision = self.seen[person][0]
        if revision == 0:
            return
        body = {"revision": revision, "in_force": self.in_force.version_id, "reason": "too small"}
        answer = self._request(person, "POST", "/done", body)
        if revision != self.revision:
            assert answer.status_code == 409, "nobody finishes what they have not seen"
            return
        if self.expected == self.parent.objects:
            assert answer.status_code == 400, "nothing differs"
            return
        assert answer.status_code == 200, answer.text
        self.in_force = Outlines(answer.json()["id"], self.expected)
        self._ended()

    @rule(person=PEOPLE)
    def reopen(self, person: str) -> None:
        listed = self.server.client.get(self._address() + "/discarded").json()["discarded"]
        assert {item["id"] for item in listed} == self.discarded.keys(), "what was given up is there"
        if not listed:
            return
        draft_id = listed[-1]["id"]
        answer = self._request(person, "POST", "/reopen", {"draft_id": draft_id})
        assert answer.status_code == (409 if self.revision else 204), answer.text
        if not self.revision:
            self.revision, self.parent, self.expected = self.discarded.pop(draft_id)

    def _ended(self) -> None:
        self.revision, self.parent, self.expected = 0, self.in_force, dict(self.in_force.objects)

    def _request(self, person: str, method: str, to: str, body: dict[str, Any]) -> Any:
        headers = {"Idempotency-Key": str(next(self.keys)), USER_HEADER: person}
        return self.server.client.request(method, self._address() + to, json=body, headers=headers)

    def _send(self, person: str, to: str, body: dict[str, Any]) -> None:
        base, version_id, seen = self.seen[person]
        answer = self._request(person, "POST", to, {"version_id": version_id, **body})
        named = {item["number"] for item in body.get("objects", ())} - {None}
        outdated = {number for number in named if seen.get(number) != self.expected.get(number)}
        content = answer.json()
        if answer.status_code != 200:
            assert answer.status_code == 409 or content["error"]["message"], answer.text
            if answer.status_code == 409:
                there = _objects(content["objects"])
                numbers = [item["number"] for item in content["objects"]]
                assert there == {n: self.expected[n] for n in numbers if n in self.expected}
            return
        assert not outdated, "nobody replaces an outline that they have not seen"
        assert version_id == self.parent.version_id
        self.expected = dict(self.expected)  # what was discarded or finished stays as it was
        for item in content["objects"]:
            self.expected.pop(item["number"], None)
        self.expected |= _objects(content["objects"])
        mine = {item["number"]: self.expected.get(item["number"]) for item in content["objects"]}
        if content["revision"] == base + 1:  # else a browser loads everything anew
            kept = {number: region for number, region in seen.items() if number not in mine}
            self.seen[person] = (content["revision"], version_id, kept | {n: r for n, r in mine.items() if r})
        self.revision = content["revision"]

    @invariant()
    def no_silent_loss(self) -> None:
        if hasattr(self, "expected"):
            draft = self.server.services.corrections.draft(self.image_id)
            assert (draft.revision, dict(draft.objects)) == (self.revision, self.expected)
            assert labels_of(draft.objects, SHAPE).any() == bool(self.expected)

    def _address(self) -> str:
        return f"/api/images/{self.image_id}/corrections"


@pytest.mark.parametrize("interleavings", [15, pytest.param(200, marks=pytest.mark.full)])
def test_two_people_lose_nothing_in_silence(interleavings: int) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        machine = type("Machine", (TwoBrowsers,), {"server": server})
        try:
            run_state_machine_as_test(
                machine, settings=settings(max_examples=interleavings, stateful_step_count=25, deadline=None)
            )
        finally:
            server.close()


def _objects(items: list[dict[str, Any]]) -> Objects:
    regions = {item["number"]: Region.from_json(item) for item in items if item["box"]}
    return {number: region for number, region in regions.items() if region is not None}
