"""POST /api/projects/{id}/outlines: files of other programs come in, or are refused in words."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from starlette.testclient import TestClient

from core.corrections.imports import Imported
from core.http.app import UPLOADS_AT_ONCE
from core.http.routes import outlines
from core.services import Services
from tests import corpus
from tests.corrections.conftest import RECIPE
from tests.http.lab import Lab, disc

KEY = {"Idempotency-Key": "0123456789abcdef"}


def test_the_answer_says_what_became_of_each_picture(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    image = lab.measured(lab.image(project, "a.png"), disc(), recipe=RECIPE)
    labels = np.zeros((image.height, image.width), np.uint8)
    labels[2:9, 2:9] = 1
    address = f"/api/projects/{project.id}/outlines"
    for state in ("imported", "unchanged"):
        answer = client.post(f"{address}?path=a_masks.png", content=corpus.png(labels), headers=KEY)
        (picture,) = answer.json()["pictures"]
        assert (picture["state"], picture["image_id"], picture["image_name"]) == (state, image.id, "a.png")
    (picture,) = client.post(f"{address}?path=a.zip", content=b"PK", headers=KEY).json()["pictures"]
    assert (picture["state"], picture["version_id"]) == ("refused", None)
    assert "damaged" in picture["message"]


def test_no_more_files_are_in_memory_at_once_than_uploads(
    client: TestClient, lab: Lab, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = lab.project()
    at_work, most, lock = 0, 0, threading.Lock()
    full = threading.Event()

    def add(*_: object) -> tuple[Imported, ...]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
            if at_work == UPLOADS_AT_ONCE:
                full.set()
        full.wait(10)
        with lock:
            at_work -= 1
        return ()

    monkeypatch.setattr(type(services.imports), "add", add)

    def send() -> None:
        client.post(f"/api/projects/{project.id}/outlines?path=a.png", content=b"x", headers=KEY)

    threads = [threading.Thread(target=send) for _ in range(3 * UPLOADS_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == UPLOADS_AT_ONCE


def test_a_file_that_is_too_large_is_refused_while_it_arrives(
    client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlines, "MAX_BYTES", 1000)
    answer = client.post(
        f"/api/projects/{lab.project().id}/outlines?path=a.png", content=bytes(1001), headers=KEY
    )
    assert answer.status_code == 400
    assert "MiB" in answer.json()["error"]["message"]
