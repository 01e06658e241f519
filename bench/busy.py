"""The app while it segments: how soon it answers, what open pages cost, what memory the queue takes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import cv2
import httpx2
import numpy as np

from bench.report import Bar, Report, median_p95
from bench.running import Served, served
from bench.scenes import spheroids
from bench.sessions import visitor
from core.services import Services
from core.settings import Settings

ASKED = ("/api/queue", "/api/jobs?limit=50", "/api/projects/{project}/images?limit=50")
POLL_S = 1.0  # as the pages do while something is in work
IDLE_LOOK_S = 4.0  # as they do while nothing is
SESSIONS = 20
PAGES = ("", "images", "queue", "measurements")
JOBS = 1000
LARGE_SHAPE, LARGE = (4000, 5000), 4
SEED = 1


def run(quick: bool) -> Report:
    """One app for each question, so that none answers for another."""
    report = Report("busy")
    with tempfile.TemporaryDirectory() as folder:
        _answers(report, Path(folder) / "answers" / "data", 24 if quick else 500, 5 if quick else 15)
        _sessions(report, Path(folder) / "sessions" / "data", 5 if quick else 40)
        _memory(report, Path(folder) / "memory" / "data", 100 if quick else JOBS)
    return report


def _answers(report: Report, data: Path, count: int, seconds: float) -> None:
    """What pages ask for once a second, asked while four workers have more to do than they can."""
    project_id = _waiting(
        data, (_file(".png", _numbered(spheroids(1024, 4, n % 8).pixels, n)) for n in range(count))
    )
    times: dict[str, list[float]] = {address: [] for address in ASKED}
    with served(data) as app, httpx2.Client(base_url=app.address, timeout=60) as http:
        _wait_until_done(http, 4)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end and _left(http):
            for address, taken in times.items():
                start = time.perf_counter()
                http.get(address.format(project=project_id)).raise_for_status()
                taken.append((time.perf_counter() - start) * 1000)
            time.sleep(POLL_S / 4)
        assert _left(http), "the workers ran out of images before the time was over"
    for address, taken in times.items():
        median, p95 = median_p95(taken)
        report.rows.append({"what": f"GET {address}, 4 workers at work", "median": median, "p95": p95})
    everything = [ms for taken in times.values() for ms in taken]
    report.bars.append(Bar("answers to pages, 4 workers at work, p95", median_p95(everything)[1], 100, "ms"))


def _sessions(report: Report, data: Path, seconds: float) -> None:
    """Twenty pages that are left open while nothing is in work."""
    _waiting(data, [_file(".png", spheroids(256, 2).pixels)])
    with served(data) as app:
        asyncio.run(_open_pages(report, app, seconds))


async def _open_pages(report: Report, app: Served, seconds: float) -> None:
    async with AsyncExitStack() as stack, httpx2.AsyncClient(base_url=app.address, timeout=60) as http:
        while (await http.get("/api/queue")).json()["left"]:
            await asyncio.sleep(POLL_S)
        for number in range(SESSIONS):
            session = await stack.enter_async_context(visitor(app.address))
            await session.open(PAGES[number % len(PAGES)])
        await asyncio.sleep(IDLE_LOOK_S)
        start, cpu = time.perf_counter(), _cpu_seconds(app)
        while time.perf_counter() - start < seconds:
            await asyncio.gather(*(http.get("/api/version") for _ in range(SESSIONS)))
            await asyncio.sleep(IDLE_LOOK_S)
        share = 100 * (_cpu_seconds(app) - cpu) / (time.perf_counter() - start)
    report.bars.append(Bar(f"{SESSIONS} open pages, nothing in work", share, 10, "% of a core"))


def _memory(report: Report, data: Path, count: int) -> None:
    """Many small images, then large ones: what the many leave behind, and the peak."""
    dice = np.random.default_rng(SEED)
    large = dice.integers(0, 4096, LARGE_SHAPE).astype(np.uint16)
    small = spheroids(128, 1).pixels
    files = [_file(".png", _numbered(small, n)) for n in range(count)]
    _waiting(data, [*files, *(_file(".tif", _numbered(large, n)) for n in range(LARGE))])
    first, last = count // 20, count - count // 20
    limited = {"CONTAINER_MEMORY_LIMIT_MB": "1024"}
    with served(data, limited) as app, httpx2.Client(base_url=app.address, timeout=60) as http:
        _wait_until_done(http, first)
        early = app.peak.now()
        _wait_until_done(http, last)
        late = app.peak.now()
        _wait_until_done(http, count + LARGE)
        peak = app.peak.highest
    megapixels = round(np.prod(LARGE_SHAPE) / 1e6)
    name = f"{count} jobs and {LARGE} images of {megapixels} megapixels, 16 bits: peak of the app"
    report.bars.append(Bar(name, peak, 1000, "MB"))
    report.bars.append(Bar(f"growth from the {first}th to the {last}th job", late - early, 50, "MB"))


def _waiting(data: Path, files: Iterable[bytes]) -> str:
    """A project in the data folder whose images wait until an app is started on it."""
    data.mkdir(parents=True)
    services = Services.open(Settings(data=data))
    services.queue.drain(1)  # not by this process
    project = services.create_project("waiting")
    for number, file in enumerate(files):
        services.ingest.add(project.id, f"{number:04}", file, services.recipe(project))
    services.close()
    return project.id


def _numbered(pixels: np.ndarray, number: int) -> np.ndarray:
    """A copy that is like no other, so that it is an image of its own."""
    copy = pixels.copy()
    copy[0, :2] = divmod(number, 256)
    return copy


def _file(suffix: str, pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(suffix, pixels)[1])


def _left(http: httpx2.Client) -> int:
    return int(http.get("/api/queue").json()["left"])


def _wait_until_done(http: httpx2.Client, count: int) -> None:
    while (counts := http.get("/api/queue").json()["counts"])["done"] < count:
        assert not counts["failed"], counts
        time.sleep(POLL_S / 4)


def _cpu_seconds(app: Served) -> float:
    taken = app.peak.process.cpu_times()
    return float(taken.user + taken.system)
