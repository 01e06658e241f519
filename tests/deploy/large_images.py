"""A process that does all at once with large images what costs memory, then says how much it took.

``python -m tests.deploy.large_images FOLDER``, with settings in the environment and images in FOLDER/files.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

from starlette.testclient import TestClient

from core.errors import SpheroscopeError
from core.models import Image, JobState
from core.services import Services
from core.settings import Settings
from tests.http.conftest import application
from tests.polling import wait_until

PREVIEWS = 10
WAIT_SECONDS = 2700


def main(folder: Path) -> None:
    services = Services.open(Settings.from_env())
    project = services.create_project("Large")
    paths = sorted((folder / "files").iterdir())
    with ThreadPoolExecutor(PREVIEWS + 3 * len(paths)) as pool, TestClient(application(services)) as client:
        uploads = [pool.submit(_upload, services, project.id, path) for path in paths]
        verdicts = [upload.result() for upload in uploads]
        images = [services.store.images.get(key) for verdict in verdicts for key in verdict.image_ids]
        services.queue.wake()
        previews = [pool.submit(_preview, services, image, n) for n, image in _repeated(images)]
        pictures = [pool.submit(_get, client, f"/views/{image.id}.png") for image in images]
        wait_until(lambda: services.store.jobs.totals().left == 0, WAIT_SECONDS, "all jobs to end")
        addresses = [f"/downloads/images/{image.id}/overlay.png" for image in images]
        overlays = [pool.submit(_get, client, address) for address in addresses]
        report = {
            "uploads": [verdict.outcome for verdict in verdicts],
            "messages": [verdict.message for verdict in verdicts],
            "jobs": {state: n for state, n in services.store.jobs.totals().counts.items() if n},
            "previews": _results(previews),
            "pictures": _results(pictures),
            "overlays": _results(overlays),
        }
    report["failed"] = [job.error for job in services.store.jobs.page(JobState.FAILED).items]
    services.close()
    status = Path("/proc/self/status").read_text()
    report["peak_mb"] = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
    print(json.dumps(report))


def _repeated(images: list[Image]) -> Iterator[tuple[int, Image]]:
    """PREVIEWS images with their numbers, each of the images in turn; none where there are none."""
    return zip(range(PREVIEWS), cycle(images), strict=False)


def _upload(services: Services, project_id: str, path: Path):  # type: ignore[no-untyped-def]
    recipe = services.recipe(services.store.projects.get(project_id))
    with path.open("rb") as file:
        return services.ingest.add(project_id, path.name, file, recipe)


def _preview(services: Services, image: Image, number: int) -> str:
    """How a preview with settings of its own ended: "done", or the code of what refused it."""
    recipe = services.recipe_of("unet", {"sensitivity": number / 20})
    try:
        services.preview(image, recipe)
    except SpheroscopeError as error:
        return error.code
    return "done"


def _get(client: TestClient, address: str) -> str:
    """How a request ended: "done", or the code of what refused it."""
    response = client.get(address, headers={"Host": "localhost"})
    return "done" if response.status_code == 200 else str(response.json()["error"]["code"])


def _results(futures: list[Future[str]]) -> list[str]:
    return [future.result(WAIT_SECONDS) for future in futures]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
