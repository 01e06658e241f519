"""What compression saves of the API's JSON, and what it costs: lists, spheroids and metrics, by encoding."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bench.report import Bar, Report, interleaved_ms, median_p95
from bench.scenes import spheroids
from core import http
from core.models import PageFacts, Spheroid
from core.segmentation import describe
from core.services import Services
from core.settings import Settings
from core.store import NewImage, Recipe
from core.store.results import Result

ENCODINGS = {"identity": "identity", "gzip": "gzip", "zstd": "zstd, gzip"}
ROWS = (25, 100, 200)
IMAGES = 200  # of two spheroids on an average
RECIPE = Recipe("classical", "1", {})


def run(quick: bool) -> Report:
    """Ask for the same rows in every encoding, in turns; the client leaves the bytes as they come."""
    report = Report("compression")
    with _client() as (client, project_id):
        for name, address in _addresses(project_id).items():
            for rows in ROWS if "limit" in address else (0,):
                sizes, times = _measured(client, address.format(limit=rows), 5 if quick else 60)
                for encoding, size in sizes.items():
                    median, p95 = median_p95(times[encoding])
                    saved = 100 * (1 - size / sizes["identity"])
                    line = {"answer": name, "rows": rows or None, "encoding": encoding, "bytes": size}
                    report.rows.append(line | {"saved_%": saved, "median_ms": median, "p95_ms": p95})
                    if rows in (0, 100) and encoding != "identity":
                        report.bars.append(Bar(f"{name}, {encoding}: saved", saved, 80, "%", at_most=False))
    return report


def _addresses(project_id: str) -> dict[str, str]:
    return {
        "images": f"/api/projects/{project_id}/images?limit={{limit}}",
        "spheroids": f"/api/projects/{project_id}/objects?limit={{limit}}",
        "jobs": "/api/jobs?limit={limit}",
        "metrics": "/api/metrics/endpoints",
    }


def _measured(client: TestClient, address: str, rounds: int) -> tuple[dict[str, int], dict[str, list[float]]]:
    """Bytes as sent, and times in ms, by encoding."""

    def ask(accepted: str) -> int:
        with client.stream("GET", address, headers={"Accept-Encoding": accepted}) as answer:
            assert answer.status_code == 200, address
            return sum(len(piece) for piece in answer.iter_raw())

    sides: dict[str, Callable[[], object]] = {
        name: (lambda accepted=accepted: ask(accepted)) for name, accepted in ENCODINGS.items()
    }
    return {name: ask(accepted) for name, accepted in ENCODINGS.items()}, interleaved_ms(sides, rounds)


@contextmanager
def _client() -> Iterator[tuple[TestClient, str]]:
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(Settings(data=Path(folder)))
        services.queue.drain(1)
        project_id = services.store.projects.create("Bench", "classical", 1.36).id
        _fill(services, project_id)
        app = Starlette(
            routes=http.routes(lambda: services),
            middleware=http.middleware(services.settings, lambda: services),
        )
        try:
            with TestClient(app, base_url="http://localhost") as client:
                yield client, project_id
        finally:
            services.close()


def _fill(services: Services, project_id: str) -> None:
    """Rows as a lab has them: names of wells, drawn spheroids as they are measured, one result an image."""
    random = np.random.default_rng(1)
    drawn = _drawn()
    wells = [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)]
    facts = PageFacts(1, 1024, 1024, 1, "uint16", 16, None, None)
    images = tuple(
        NewImage(
            random.bytes(16).hex(),
            f"{wells[number % 96]}_day{number // 96}.tif",
            random.bytes(32).hex(),
            2_097_152,
            facts,
            random.bytes(32).hex(),
        )
        for number in range(IMAGES)
    )
    ids = services.store.add_images(project_id, images, RECIPE)
    for _ in ids:
        job = services.store.jobs.claim("bench", "worker")
        assert job is not None
        services.store.results.finish(job, _result(random, drawn))


def _drawn() -> Iterator[Spheroid]:
    """Spheroids of all sizes, no two alike: the same one twice would compress too well."""
    for index, count in enumerate((30, 60, 90, 120, 150)):
        scene = spheroids(2048, count, seed=index)
        yield from describe(scene.labels, scene.pixels)


def _result(random: np.random.Generator, drawn: Iterator[Spheroid]) -> Result:
    spheroids = tuple(
        replace(item, number=number, confidence=float(random.uniform(0.7, 0.98)))
        for number, item in enumerate(islice(drawn, random.integers(1, 4)), start=1)
    )
    digests = random.bytes(32).hex(), random.bytes(32).hex()
    timings = {"predict": float(random.uniform(20, 90))}
    return Result("classical", "1", {}, spheroids, *digests, timings, None, spheroids[0].confidence)
