"""From a file's bytes to contours and measurements: every stage, one image alone and four at once."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from bench.report import Bar, Report, median_p95
from bench.scenes import png, spheroids
from core.models import Job, JobState, Limits
from core.segmentation import ENGINES
from core.work import Processed, process

SIZES = (1024, 2048)
WORKERS = 4


def run(quick: bool) -> Report:
    """Measure every engine at each size; the engines take turns."""
    report = Report("segment")
    rounds = 2 if quick else 12
    for side in SIZES:
        data = png(spheroids(side, 6))
        alone = _alone(data, rounds)
        for engine, results in alone.items():
            for stage, times in _by_stage(results).items():
                median, p95 = median_p95(times)
                report.rows.append(
                    {"engine": engine, "side": side, "stage": stage, "median_ms": median, "p95_ms": p95}
                )
        for engine in ENGINES:
            rate = _images_per_second(data, engine, rounds * 2)
            report.rows.append(
                {"engine": engine, "side": side, "stage": f"{WORKERS} at once, images/s", "median_ms": rate}
                | {"p95_ms": None}
            )
            if side == SIZES[0]:
                total, _ = median_p95([sum(result.timings_ms.values()) for result in alone[engine]])
                report.bars.append(Bar(f"{engine}, one {side}² image", total, 100, "ms"))
                report.bars.append(Bar(f"{engine}, {WORKERS} workers", rate, 14, "images/s", at_most=False))
    report.bars.append(Bar("peak memory of this process", _peak_mb(), 700, "MB"))
    return report


def _alone(data: bytes, rounds: int) -> dict[str, list[Processed]]:
    results: dict[str, list[Processed]] = {engine: [] for engine in ENGINES}
    for _ in range(rounds + 1):
        for engine, done in results.items():
            done.append(segment_once(data, engine))
    return {engine: done[1:] for engine, done in results.items()}  # the first round warms up


def _by_stage(results: Iterable[Processed]) -> dict[str, list[float]]:
    stages: dict[str, list[float]] = {}
    for result in results:
        for stage, ms in result.timings_ms.items():
            stages.setdefault(stage, []).append(ms)
        stages.setdefault("total", []).append(sum(result.timings_ms.values()))
    return stages


def _images_per_second(data: bytes, engine: str, count: int) -> float:
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda _: segment_once(data, engine), range(count)))
    return count / (time.perf_counter() - start)


def segment_once(data: bytes, engine: str) -> Processed:
    """What a worker does with one file, by an engine with its defaults."""
    return process(data, _job(engine), Limits())


def _job(engine: str) -> Job:
    return Job(
        id="",
        image_id="",
        project_id="",
        image_name="",
        sha256="",
        page=1,
        state=JobState.RUNNING,
        sequence=1,
        attempt=1,
        suspect=False,
        engine=engine,
        params={},
        created_at=datetime(2026, 1, 1),
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
