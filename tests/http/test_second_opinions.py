"""The routes of second opinions: an image to draw, a drawing in, and how far people agree."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from core.corrections import regions_of
from core.models import Image, ReviewSettings, ReviewState, Verdict
from core.services import Services
from tests import corpus
from tests.corrections.conftest import automatic, labels, pixels
from tests.factories import claim
from tests.http.lab import RECIPE, Lab

NOTHING = {"value": None, "low": None, "high": None}
OUTLINES = [region.to_json() for region in regions_of(labels()).values()]


@pytest.fixture
def image(lab: Lab, services: Services) -> Image:
    """An image that ada has called right, in a project of which one is to be drawn again."""
    added = lab.image(lab.project(um_per_px=2.0), "a.png", corpus.png(pixels()))
    services.store.jobs.enqueue(added.project_id, [added.id], RECIPE)
    assert services.store.results.finish(claim(services.store), automatic(services.blobs, labels()))
    services.store.projects.set_review(added.project_id, ReviewSettings(second_opinions=1))
    image = services.store.images.get(added.id)
    services.reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ada")
    return services.store.images.get(added.id)


def post(client: TestClient, image: Image, key: str, **body: Any) -> Any:
    sent = {"version_id": image.version_id, "objects": OUTLINES} | body
    address = f"/api/images/{image.id}/second-opinions"
    return client.post(address, json=sent, headers={"Idempotency-Key": key})


def test_somebody_takes_an_image_draws_it_and_its_agreement_is_answered(
    client: TestClient, image: Image
) -> None:
    project = f"/api/projects/{image.project_id}/second-opinions"
    offer = client.post(f"{project}/next", json={}, headers={"Idempotency-Key": "n"}).json()
    assert offer["image"] == {"image_id": image.id, "name": "a.png", "version_id": image.version_id}
    assert (offer["requested"], offer["drawn"], offer["left"]) == (1, 0, 1)
    stored = post(client, image, "a", seconds=31.5)
    assert stored.status_code == 200, stored.text
    assert stored.json().keys() == {"id", "drawn_by", "drawn_at", "n_drawn", "sha256"}, (
        "agreement is not told"
    )
    assert post(client, image, "a", seconds=31.5).json() == stored.json()
    answer = client.get(project).json()
    (drawing,) = answer["drawings"]
    assert (drawing["judged_by"], drawing["seconds"], drawing["ious"]) == ("ada", 31.5, [1.0, 1.0])
    assert drawing["sha256"] == stored.json()["sha256"]
    assert answer["unknown"]["people"]["n"] == 1, "a program is nobody whom one knows by name"
    assert answer["another"]["people"] == {
        "n": 0,
        **dict.fromkeys(("both", "iou", "diameter_change"), NOTHING),
    }
    after = client.post(f"{project}/next", json={}, headers={"Idempotency-Key": "m"}).json()
    assert (after["image"], after["drawn"]) == (None, 1)
    (version,) = client.get(f"/api/images/{image.id}/versions").json()["versions"]
    assert (version["id"], version["in_force"]) == (image.version_id, True), "the result is as it was"


@pytest.mark.parametrize(
    "body",
    [
        {"objects": []},
        {"nothing": True},
        {"objects": [{"box": [0, 0, 9, 9], "runs": [0, 500]}]},
        {"objects": [{"box": [90, 90, 9, 9], "runs": [0, 5]}]},
        {"objects": [{"box": [0, 0, 9, 9], "runs": []}]},
        {"objects": [OUTLINES[0], OUTLINES[0]]},
        {"objects": [OUTLINES[0] | {"number": 1}]},
        {"version_id": "another"},
        {"version_id": None},
        {"seconds": -1},
        {"seconds": 1e9},
        {"objects": [OUTLINES[0]] * 1001},
        {"more": 1},
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    client: TestClient, image: Image, body: dict[str, Any]
) -> None:
    assert post(client, image, "a", **body).status_code == 400
    assert client.get(f"/api/projects/{image.project_id}/second-opinions").json()["drawings"] == []


def test_what_is_not_there_is_not_found(client: TestClient, image: Image, services: Services) -> None:
    services.store.images.delete(image.project_id, [image.id])
    assert post(client, image, "a").status_code == 404
    assert client.get("/api/projects/nothing/second-opinions").status_code == 404
