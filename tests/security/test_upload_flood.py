"""T13: more uploads than the queue takes: as many as fit, the others refused in words, in bounded memory."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from starlette.testclient import TestClient

from core.models import JobState
from core.services import Services
from core.settings import Settings
from tests import corpus
from tests.http.conftest import application

CAP, SENT, AT_ONCE = 100, 200, 8
MAX_GROWTH_BYTES = 500 * 2**20


def test_two_hundred_uploads_to_a_queue_of_a_hundred(tmp_path: Path) -> None:
    services = Services.open(Settings(data=tmp_path, max_queued=CAP, container_memory_limit_mb=16_384))
    services.queue.drain(5)
    project = services.create_project("Flood")
    files = [corpus.png(corpus.noise((64, 64), seed=number)) for number in range(SENT)]
    before = psutil.Process().memory_info().rss
    with TestClient(application(services), base_url="http://localhost") as client:

        def send(number: int) -> tuple[int, str]:
            answer = client.post(
                f"/api/projects/{project.id}/images",
                params={"path": f"{number}.png"},
                headers={"Idempotency-Key": str(number)},
                content=files[number],
            )
            return answer.status_code, answer.json().get("error", {}).get("code", "stored")

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = Counter(pool.map(send, range(SENT)))
        assert answers == {(201, "stored"): CAP, (503, "queue_full"): SENT - CAP}
        assert psutil.Process().memory_info().rss - before < MAX_GROWTH_BYTES
        assert services.store.jobs.totals().counts[JobState.QUEUED] == CAP
        assert services.store.projects.get(project.id).n_images == CAP
        assert client.get("/api/health").status_code == 200
    services.close()
