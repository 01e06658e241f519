from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from core.services import Services
from core.settings import Settings
from core.ui.components.queue_progress import queue_payload
from tests import corpus
from tests.http.conftest import application

pytestmark = pytest.mark.slow


def test_page_and_api_give_the_browser_the_same_fields(tmp_path: Path) -> None:
    services = Services.open(Settings(data=tmp_path))
    services.queue.drain(1)  # so that the job keeps waiting
    project = services.create_project("Waiting")
    services.ingest.add(project.id, "a.png", corpus.png(corpus.noise()), services.recipe(project))
    with TestClient(application(services), base_url="http://localhost") as client:
        answer = client.get("/api/queue").json()
    payload = queue_payload(services.queue_monitor.snapshot())
    services.close()
    assert payload["left"] == 1
    assert payload.items() <= answer.items()
