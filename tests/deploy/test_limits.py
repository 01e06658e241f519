"""The app within the memory of its container: four images in work, twenty visitors and an export at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.demo.synthetic import BodySpec, SceneSpec, scene
from core.services import Services
from core.settings import Settings
from tests import corpus
from tests.deploy import compose
from tests.deploy.serving import Served, served, visitor
from tests.polling import wait_until

SIDE_PX = 2048
VISITORS = 20
SECONDS = 240
# Version 1 of control groups, then version 2: folder, file of the limit, file of the kills.
GROUPS = (
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.oom_control"),
    (Path("/sys/fs/cgroup"), "memory.max", "memory.events"),
)


class Confinement:
    """A control group that kills what takes more than it may; where there are none, only the peak tells."""

    def __init__(self, limit: int) -> None:
        self._folder: Path | None = None
        for root, file, kills in GROUPS:
            folder = root / f"spheroscope-test-{os.getpid()}"
            with suppress(OSError):
                folder.mkdir()
                self._folder, self._kills = folder, kills
                (folder / file).write_text(str(limit))
                return

    def take(self, pid: int) -> None:
        if self._folder:
            (self._folder / "cgroup.procs").write_text(str(pid))

    @property
    def kills(self) -> int:
        if not self._folder:
            return 0
        words = (self._folder / self._kills).read_text().split()
        return int(words[words.index("oom_kill") + 1])

    def remove(self) -> None:
        if self._folder:
            wait_until(lambda: not (self._folder / "cgroup.procs").read_text())  # type: ignore[operator]
            self._folder.rmdir()


@pytest.fixture
def confinement() -> Iterator[Confinement]:
    made = Confinement(compose.n_bytes(compose.services()["app"]["mem_limit"]))
    yield made
    made.remove()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four large images that wait, two for each engine; the app finds them at its start."""
    folder = tmp_path / "data"
    services = Services.open(Settings(data=folder))
    services.queue.drain(1)
    project = services.create_project("Plate")
    for seed in range(4):
        engine = ("classical", "unet")[seed % 2]
        file = corpus.png(many_spheroids(seed))
        services.ingest.add(project.id, f"{seed}.png", file, services.recipe_of(engine, {}))
    services.close()
    return folder


def many_spheroids(seed: int) -> NDArray[np.generic]:
    """A large brightfield scene of 36 spheroids that do not touch."""
    step = SIDE_PX / 6
    bodies = tuple(
        BodySpec(((column + 0.5) * step, (row + 0.5) * step), diameter_px=0.55 * step)
        for row in range(6)
        for column in range(6)
    )
    return scene(np.random.default_rng(seed), SceneSpec(bodies, (SIDE_PX, SIDE_PX))).pixels


def counts(app: Served) -> dict[str, Any]:
    return dict(app.get("/api/projects")["projects"][0]["counts"])


async def visit(app: Served) -> None:
    """Twenty sessions open the pages, all at once, and stay while images are segmented."""
    end = time.monotonic() + SECONDS
    async with AsyncExitStack() as stack:
        visitors = [await stack.enter_async_context(visitor(app)) for _ in range(VISITORS)]
        while True:
            for page in ("", "images", "queue"):
                await asyncio.gather(*(each.open(page) for each in visitors))
            if (await asyncio.to_thread(counts, app))["done"] == 4:
                return
            assert time.monotonic() < end, counts(app)


@pytest.mark.timeout(600)
def test_the_app_lives_within_its_container(data: Path, confinement: Confinement) -> None:
    service = compose.services()["app"]
    env = {name: value for name, value in service["environment"].items() if "$" not in value}
    env["REDIS_URL"] = ""
    made: list[dict[str, Any]] = []
    with served(data, env, confinement.take) as app:
        project = app.get("/api/projects")["projects"][0]["id"]
        parts = ("csv", "xlsx", "parquet", "masks", "rois", "coco", "originals", "overlays")
        export = Thread(target=lambda: made.append(app.export(project, parts)))
        export.start()
        asyncio.run(visit(app))
        export.join(SECONDS)
        assert app.process.poll() is None
        assert made[0]["state"] == "ready"
        again = app.export(project, parts)
        assert (again["state"], again["problems"]) == ("ready", 0)
        assert app.peak_bytes() <= compose.n_bytes(service["mem_limit"])
        assert confinement.kills == 0
