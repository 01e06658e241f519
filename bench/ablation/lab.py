"""Data folders to measure on, and the app's own routes called without a network between."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Message

from core import http
from core.db import Session
from core.models import MEASUREMENTS, Contour, PageFacts, Project, Spheroid
from core.services import Services
from core.settings import Settings
from core.store import NewImage, Recipe
from core.store.results import Result
from core.store.rows import OBJECT_ROW, object_rows

FILLED_AT_ONCE = 5000
SAMPLE_S = 0.01
RECIPE = Recipe("bench", "1", {})
MIB = 2**20


@contextmanager
def opened(**switches: Any) -> Iterator[Services]:
    """Services on a folder of their own, with some settings at other than their defaults."""
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(Settings(data=Path(folder), **switches))
        try:
            yield services
        finally:
            services.close()


def fill(services: Services, name: str, count: int) -> Project:
    """A project with ``count`` images, that exist only as rows."""
    project = services.create_project(name)
    thumbnail = services.blobs.put(bytes(cv2.imencode(".png", np.full((96, 96), 128, np.uint8))[1]))
    for first in range(0, count, FILLED_AT_ONCE):
        images = tuple(
            _image(project.id, number, thumbnail)
            for number in range(first, min(count, first + FILLED_AT_ONCE))
        )
        services.store.add_images(project.id, images, None)
    return services.store.projects.get(project.id)


def measure(services: Services, project: Project, each: int) -> None:
    """Give every image of a project a result of ``each`` spheroids."""
    ids = services.store.images.ids(project.id)
    services.store.jobs.enqueue(project.id, ids, RECIPE)
    dice = np.random.default_rng(1)
    while job := services.store.jobs.claim("bench", "worker"):
        spheroids = tuple(_spheroid(number, dice) for number in range(1, each + 1))
        services.store.results.finish(
            job, Result("bench", "1", {}, spheroids, _digest("l"), _digest("t"), {})
        )


def multiply(services: Services, project: Project, times: int) -> None:
    """Repeat the spheroids of a project's images, so that there are ``times`` as many."""

    def work(session: Session) -> None:
        for image_id in services.store.images.ids(project.id):
            image = services.store.images.get(image_id)
            result = services.store.results.get(image)
            assert result is not None
            spheroids = result[1]
            for turn in range(1, times):
                more = [replace(item, number=item.number + turn * len(spheroids)) for item in spheroids]
                rows = object_rows(result[0].id, image_id, more)
                session.append("results.add_objects", "object", OBJECT_ROW, rows)

    services.db.write(work)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: its status, the bytes that went over the wire, and how long it took."""

    status: int
    sent_bytes: int
    ms: float


class Browser:
    """Asks the app as it is served, compression and guards included, in this process."""

    def __init__(self, services: Services) -> None:
        compressing = Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)  # as the pages' server
        self._app = Starlette(
            routes=http.routes(lambda: services),
            middleware=[*http.middleware(services.settings, lambda: services), compressing],
        )
        self._loop = asyncio.new_event_loop()

    def get(self, path: str, query: str = "") -> Answer:
        """GET, as a browser that takes gzip; the body is dropped as it comes."""
        start = time.perf_counter()
        status, sent = self._loop.run_until_complete(self._ask(path, query))
        assert status == 200, f"{path}: {status}"
        return Answer(status, sent, (time.perf_counter() - start) * 1000)

    def close(self) -> None:
        self._loop.close()

    async def _ask(self, path: str, query: str) -> tuple[int, int]:
        status = sent = 0
        received = False

        async def receive() -> Message:
            nonlocal received
            if received:
                await asyncio.sleep(3600)  # until the answer is complete: nobody hangs up
            received = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, sent
            status = message.get("status", status)
            sent += len(message.get("body", b""))

        await self._app(_scope(path, query), receive, send)
        return status, sent


@contextmanager
def browsing(services: Services) -> Iterator[Browser]:
    """A browser that is closed at the end."""
    browser = Browser(services)
    try:
        yield browser
    finally:
        browser.close()


def peak_growth_mib(act: Callable[[], object]) -> float:
    """By how much this process' memory rose at most while ``act`` ran."""
    process, stop = psutil.Process(), threading.Event()
    begun = highest = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not stop.wait(SAMPLE_S):
            highest = max(highest, process.memory_info().rss)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    act()
    stop.set()
    watching.join()
    return (max(highest, process.memory_info().rss) - begun) / MIB


def _scope(path: str, query: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"accept-encoding", b"gzip")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }


def _image(project_id: str, number: int, thumbnail: str) -> NewImage:
    key = _digest(f"{project_id} {number}")
    facts = PageFacts(1, 1024, 1024, 1, "uint16", 12, 0.65, "ResolutionUnit")
    return NewImage(key[:32], f"A{number:06}_day{number % 7}.tif", key, 2_000_000, facts, thumbnail)


def _spheroid(number: int, dice: np.random.Generator) -> Spheroid:
    ring = tuple((float(x), float(y)) for x, y in dice.integers(0, 4096, (24, 2)) / 4)
    measured = dice.lognormal(3, 1, len(MEASUREMENTS))
    values: dict[str, float | int | bool | None] = {
        column.name: float(value) for column, value in zip(MEASUREMENTS, measured, strict=True)
    }
    values |= {"area": 100 + number, "bbox_x": 1, "bbox_y": 2, "bbox_width": 10, "bbox_height": 11}
    return Spheroid(number, Contour(ring), values | {"touches_border": False, "n_holes": 0})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
