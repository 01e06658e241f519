"""What the durable queue costs: jobs through table, executor and transaction, beside a bare pool."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.report import Bar, Report, median_p95
from bench.scenes import png, spheroids
from bench.segment import segment_once
from core.ingest import Ingest
from core.models import Limits
from core.segmentation import ENGINES, engine_version
from core.services import Services
from core.settings import Settings
from core.store import Recipe

WORKERS = 4
POLL_S = 0.002


def run(quick: bool) -> Report:
    """Segment the same images with a bare pool and with the queue, in turns; the difference is overhead."""
    count, rounds = (6, 1) if quick else (24, 3)
    files = [png(spheroids(512, 1, seed)) for seed in range(count)]
    per_job: dict[str, list[float]] = {"bare pool": [], "queue": []}
    for _ in range(rounds):
        per_job["bare pool"].append(_bare(files) / count)
        per_job["queue"].append(_queued(files) / count)
    report = Report("queue")
    for side, times in per_job.items():
        median, p95 = median_p95([seconds * 1000 for seconds in times])
        report.rows.append({"side": side, "images": count, "median_ms_a_job": median, "p95_ms_a_job": p95})
    overhead = (median_p95(per_job["queue"])[0] - median_p95(per_job["bare pool"])[0]) * 1000
    report.bars.append(Bar("overhead of the queue, wall time a job", overhead, 10, "ms"))
    return report


def _bare(files: list[bytes]) -> float:
    engine = next(iter(ENGINES))
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda data: segment_once(data, engine), files))
    return time.perf_counter() - start


def _queued(files: list[bytes]) -> float:
    engine = next(iter(ENGINES))
    recipe = Recipe(engine, engine_version(engine), {})
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(Settings(data=Path(folder), segmentation_workers=WORKERS))
        project = services.store.projects.create("bench", engine)
        ingest = Ingest(services.store, services.blobs, Limits())
        for number, data in enumerate(files):
            ingest.add(project.id, f"{number}.png", data, None)
        start = time.perf_counter()
        services.store.jobs.enqueue(project.id, services.store.images.ids(project.id), recipe)
        services.queue.wake()
        while services.store.jobs.totals().left:
            time.sleep(POLL_S)
        seconds = time.perf_counter() - start
        services.close()
    return seconds
