"""The routes of the editor: gestures in, numbers back; conflicts show what is there now."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from core.images import label_png
from core.models import Image
from core.segmentation import describe
from core.services import Services
from tests import corpus
from tests.corrections.conftest import automatic, labels, pixels
from tests.corrections.scenes import square
from tests.factories import claim
from tests.http.lab import RECIPE, Lab


@pytest.fixture
def image(lab: Lab, services: Services) -> Image:
    added = lab.image(lab.project(um_per_px=2.0), "a.png", corpus.png(pixels()))
    services.store.jobs.enqueue(added.project_id, [added.id], RECIPE)
    assert services.store.results.finish(claim(services.store), automatic(services.blobs, labels()))
    return services.store.images.get(added.id)


def body(image: Image, *objects: dict[str, Any], base: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "version_id": image.version_id,
        "base_revision": base,
        "tool": "brush",
        "objects": list(objects),
    } | more


def sent(number: int | None, region: Any) -> dict[str, Any]:
    return {"number": number} | (region.to_json() if region else {"runs": []})


def post(client: TestClient, image: Image, key: str, json: Any, to: str = "", **headers: str) -> Any:
    address = f"/api/images/{image.id}/corrections{to}"
    return client.post(address, json=json, headers={"Idempotency-Key": key, **headers})


def test_what_a_gesture_needs_is_read_when_the_editor_opens(
    client: TestClient, image: Image, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get(f"/api/images/{image.id}/corrections").status_code == 200

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the pixels are decoded already")

    monkeypatch.setattr("core.images.decode", refuse)
    answer = post(client, image, "a", body(image, sent(None, square(2, 80, 6))))
    assert answer.status_code == 200
    assert answer.json()["measured"]


def test_an_editor_opens_though_the_file_of_its_image_is_gone(
    client: TestClient, image: Image, services: Services
) -> None:
    services.blobs.path_of(image.sha256).unlink()
    assert client.get(f"/api/images/{image.id}/corrections").status_code == 200


def test_what_the_browser_is_given_and_sends_back_is_the_label_image(
    client: TestClient, image: Image
) -> None:
    state = client.get(f"/api/images/{image.id}/corrections").json()
    assert (state["revision"], state["version_id"]) == (0, image.version_id)
    drawn = np.zeros(labels().shape, np.int32)
    for item in state["objects"]:
        x, y, width, height = item["box"]
        flat = np.zeros(width * height, np.int32)
        for start, length in zip(item["runs"][::2], item["runs"][1::2], strict=True):
            flat[start : start + length] = item["number"]
        drawn[y : y + height, x : x + width] |= flat.reshape(height, width)
    assert np.array_equal(drawn, labels())


def test_a_gesture_is_answered_with_what_was_measured(client: TestClient, image: Image) -> None:
    answer = post(client, image, "a", body(image, sent(1, square(15, 30, 20)), ms=120)).json()
    assert (answer["revision"], answer["undo"], answer["redo"]) == (1, 1, 0)
    found = np.zeros(labels().shape, np.int32)
    found[30:50, 15:35] = 1
    expected = describe(found, pixels())[0].measurements
    assert answer["measured"][0]["object"] == 1
    assert answer["measured"][0]["area"] == expected["area"] == 400
    assert answer["measured"][0]["area_um2"] == 1600
    again = post(client, image, "a", body(image, sent(1, square(15, 30, 20)), ms=120)).json()
    assert again["revision"] == 1


def test_the_same_spheroid_is_a_conflict_that_shows_what_is_there(client: TestClient, image: Image) -> None:
    post(client, image, "a", body(image, sent(1, square(15, 30, 20))))
    refused = post(client, image, "b", body(image, sent(1, square(20, 30, 20))))
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "object_conflict"
    assert refused.json()["revision"] == 1
    (now,) = refused.json()["objects"]
    assert now["number"] == 1
    assert {"box": now["box"], "runs": now["runs"]} == square(15, 30, 20).to_json()


def test_undo_redo_click_done_and_going_back(client: TestClient, image: Image, services: Services) -> None:
    post(client, image, "a", body(image, sent(2, None)))
    step = {"version_id": image.version_id, "base_revision": 1}
    assert post(client, image, "u", step, "/undo").json()["redo"] == 1
    assert post(client, image, "r", step, "/redo").json()["undo"] == 1
    clicked = post(client, image, "c", step | {"x": 72.0, "y": 60.0}, "/click").json()
    assert clicked["objects"][0]["number"] == 3
    done = post(
        client, image, "d", {"revision": 4, "in_force": image.version_id, "reason": "merged"}, "/done"
    )
    version = done.json()
    assert (version["kind"], version["author"], version["reason"]) == ("corrected", "program", "merged")
    found = client.get(f"/api/images/{image.id}/versions").json()["versions"]
    assert [(item["kind"], item["in_force"]) for item in found] == [("corrected", True), ("automatic", False)]
    address, headers = f"/api/images/{image.id}/versions", {"Idempotency-Key": "back"}
    choice = {"version_id": image.version_id, "in_force": version["id"]}
    assert client.put(address, json=choice, headers=headers).status_code == 200
    assert client.put(address, json=choice, headers=headers).status_code == 409
    mask = services.blobs.get(services.store.results.versions(image.id)[0].labels_sha256)
    assert np.unique(label_png.decode(mask)).tolist() == [0, 1, 3]
    history = client.get(f"/api/images/{image.id}/history").json()["changes"]
    assert [item["action"] for item in history] == [*["changed"] * 4, "corrected", "chose"]


def test_a_correction_is_gone_on_with_numbers_and_names(client: TestClient, image: Image) -> None:
    post(client, image, "a", body(image, sent(1, square(15, 30, 20))))
    state = client.get(f"/api/images/{image.id}/corrections").json()
    assert [(item["object"], item["area"]) for item in state["measured"]] == [(1, 400)]
    assert (state["in_force"], state["authors"]) == (image.version_id, ["program"])


def test_who_corrects_on_a_page_where_nobody_is_known_is_not_called_a_program(
    client: TestClient, image: Image
) -> None:
    post(client, image, "a", body(image, sent(2, None)), **{"Sec-Fetch-Site": "same-origin"})
    assert client.get(f"/api/images/{image.id}/corrections").json()["authors"] == ["not signed in"]


def discard(client: TestClient, image: Image, revision: int, **headers: str) -> Any:
    address = f"/api/images/{image.id}/corrections"
    headers = {"Idempotency-Key": f"discard {revision}", **headers}
    return client.request("DELETE", address, json={"revision": revision}, headers=headers)


def test_a_draft_is_discarded_and_taken_up_again(client: TestClient, image: Image) -> None:
    post(client, image, "a", body(image, sent(2, None)))
    address = f"/api/images/{image.id}/corrections"
    assert discard(client, image, 1).status_code == 204
    assert client.get(address).json()["revision"] == 0
    (given_up,) = client.get(f"{address}/discarded").json()["discarded"]
    assert (given_up["authors"], given_up["n_changes"]) == (["program"], 1)
    assert given_up["discarded_by"] == "program"
    assert post(client, image, "r", {"draft_id": given_up["id"]}, "/reopen").status_code == 204
    state = client.get(address).json()
    assert (state["revision"], [item["number"] for item in state["objects"]]) == (1, [1])
    assert client.get(f"{address}/discarded").json()["discarded"] == []
    assert post(client, image, "r2", {"draft_id": given_up["id"]}, "/reopen").status_code == 409


def test_a_draft_with_strokes_that_one_has_not_seen_is_not_discarded(
    client: TestClient, image: Image
) -> None:
    address = f"/api/images/{image.id}/corrections"
    post(client, image, "a", body(image, sent(2, None)))
    post(client, image, "b", body(image, sent(1, square(15, 30, 20))))
    refused = discard(client, image, 1)
    assert refused.status_code == 409
    assert "changed meanwhile, by program" in refused.json()["error"]["message"]
    assert client.get(address).json()["revision"] == 2
    assert client.delete(address, headers={"Idempotency-Key": "x"}).status_code == 400


def test_who_goes_on_with_a_discarded_draft_is_told_by_whom(client: TestClient, image: Image) -> None:
    post(client, image, "a", body(image, sent(2, None)))
    assert discard(client, image, 1).status_code == 204
    step = {"version_id": image.version_id, "base_revision": 1}
    done = {"revision": 1, "in_force": image.version_id}
    for key, sent_body, to in (
        ("b", body(image, sent(1, square(15, 30, 20)), base=1), ""),
        ("u", step, "/undo"),
        ("d", done, "/done"),
    ):
        refused = post(client, image, key, sent_body, to)
        assert refused.status_code == 409
        ended = refused.json()["ended"]
        assert (ended["discarded"], ended["ended_by"]) == (True, "program")
    assert post(client, image, "r", {"draft_id": ended["draft_id"]}, "/reopen").status_code == 204
    again = post(client, image, "b", body(image, sent(1, square(15, 30, 20)), base=1))
    assert (again.status_code, again.json()["revision"]) == (200, 2)


def test_a_revision_of_an_ended_draft_is_not_taken_for_one_of_the_next(
    client: TestClient, image: Image
) -> None:
    post(client, image, "a", body(image, sent(1, square(15, 30, 20))))
    discard(client, image, 1)
    post(client, image, "b", body(image, sent(1, square(16, 30, 20))))  # somebody begins anew
    refused = post(client, image, "c", body(image, sent(1, square(17, 30, 20)), base=1))
    assert refused.status_code == 409
    assert refused.json()["ended"]["discarded"]
    state = client.get(f"/api/images/{image.id}/corrections").json()
    assert state["objects"][0]["box"] == [16, 30, 20, 20], "what somebody drew is not overwritten"


def test_nothing_is_stored_in_the_name_of_whoever_is_signed_in_meanwhile(
    client: TestClient, image: Image
) -> None:
    gesture = body(image, sent(2, None))
    refused = post(client, image, "a", gesture, **{"Expected-Author": "Ana%20%C5%A0"})
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "not_signed_in"
    assert "Ana Š's, and program is signed in" in refused.json()["error"]["message"]
    state = client.get(f"/api/images/{image.id}/corrections").json()
    assert (state["revision"], state["caller"]) == (0, "program")
    assert post(client, image, "a", gesture, **{"Expected-Author": "program"}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"tool": "pencil"},
        {"tool": "undo"},
        {"base_revision": -1},
        {"base_revision": 5},
        {"objects": []},
        {"objects": [{"number": 1, "box": [0, 0, 9999, 9999], "runs": [0, 1]}]},
        {"objects": [{"number": 1, "box": [0, 0, 4, 4], "runs": [0, 99]}]},
        {"objects": [{"number": 0, "runs": []}]},
        {"objects": [{"number": 99, "runs": []}]},
        {"objects": [{"number": 1, "runs": []}, {"number": 1, "runs": []}]},
        {"objects": [{"number": None, "runs": []}]},
        {"objects": [{"number": 1, "runs": [], "colour": "red"}]},
        {"objects": [{"number": 1, "runs": ["; drop table image"]}]},
        {"surprise": 1},
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    client: TestClient, image: Image, services: Services, change: dict[str, Any]
) -> None:
    generation = services.db.generation
    refused = post(client, image, "a", body(image, sent(1, None)) | change)
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]["message"]
    assert services.db.generation == generation


def test_only_our_own_pages_send_json_of_a_bearable_length(client: TestClient, image: Image) -> None:
    address, headers = f"/api/images/{image.id}/corrections", {"Idempotency-Key": "a"}
    text = '{"version_id": null}'
    foreign = client.post(address, content=text, headers={**headers, "Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    form = client.post(address, content=text, headers={**headers, "Content-Type": "text/plain"})
    assert form.status_code == 400
    huge = client.post(
        address, content=b" " * (8 * 2**20 + 1), headers={**headers, "Content-Type": "application/json"}
    )
    assert huge.status_code == 400
    assert post(client, image, "", body(image, sent(1, None))).status_code == 400
    other = {"version_id": "f" * 32}
    assert post(client, image, "b", body(image, sent(1, None)) | other).status_code == 409
    missing = client.get("/api/images/nothing/corrections")
    assert missing.status_code == 404


def test_review_over_http(client: TestClient, image: Image) -> None:
    project, headers = f"/api/projects/{image.project_id}", {"Idempotency-Key": "a"}
    taken = client.post(f"{project}/review/next", json={}, headers=headers).json()["image"]
    assert taken["image_id"] == image.id
    assert any(why.startswith("2 spheroids were found") for why in taken["reasons"])
    assert client.get(f"{project}/review?limit=5").json()["total"] == 1
    said = {"version_id": image.version_id, "state": "excluded"}
    address = f"/api/images/{image.id}/review"
    assert client.put(address, json=said, headers=headers).status_code == 400
    assert client.put(address, json=said | {"reason": "debris"}, headers=headers).status_code == 204
    assert client.get(f"{project}/review").json()["progress"]["excluded"] == 1
    found = client.get(f"{project}/images?review=excluded").json()["images"]
    assert [(item["review"], item["review_reason"]) for item in found] == [("excluded", "debris")]
    assert (
        client.put(
            address, json=said | {"version_id": "x" * 32, "reason": "debris"}, headers=headers
        ).status_code
        == 409
    )
    assert client.get(f"{project}/accuracy").json()["groups"]["all"]["n"] == 0
