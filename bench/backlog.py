"""A hundred thousand jobs that wait: asked for, claimed, taken up at a start, listed, counted."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import Bar, Report, median_p95
from core.db import Database
from core.files.blobs import Blobs
from core.models import JobState, PageFacts
from core.monitoring import QueryRecorder
from core.store import NewImage, Recipe, Store

JOBS = 100_000
RECIPE = Recipe("bench", "1", {})
FACTS = PageFacts(1, 1024, 1024, 1, "uint16", 12)
BATCH = 5_000


def run(quick: bool) -> Report:
    """Fill a database and measure every act on it."""
    jobs, rounds = (2_000, 5) if quick else (JOBS, 60)
    report = Report("backlog")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spheroscope.duckdb"
        db = Database.open(path, QueryRecorder())
        store = Store(db, 10 * JOBS)
        project = store.projects.create("bench", "bench")
        thumbnail = Blobs(Path(folder)).put(b"t")
        ids = [f"{number:032x}" for number in range(jobs)]
        for first in range(0, jobs, BATCH):
            rows = tuple(
                NewImage(key, f"{key}.tif", "0" * 64, 1, FACTS, thumbnail)
                for key in ids[first : first + BATCH]
            )
            store.add_images(project.id, rows, None)
        times = {"enqueue": [_ms(lambda: store.jobs.enqueue(project.id, ids, RECIPE))]}
        times["claim"] = [_ms(lambda: store.jobs.claim("boot", "worker")) for _ in range(rounds)]
        times["totals"] = [_ms(store.jobs.totals) for _ in range(rounds)]
        times["first page of the list"] = [_ms(lambda: _page(store, 0)) for _ in range(rounds)]
        times["middle of the list"] = [_ms(lambda: _page(store, jobs // 2)) for _ in range(rounds)]
        db.close()
        times["start"] = [_ms(lambda: _start(path))]
        db = Database.open(path, QueryRecorder())
        times["cancel all"] = [_ms(Store(db).jobs.cancel)]
        db.close()
    for act, times_ms in times.items():
        median, p95 = median_p95(times_ms)
        report.rows.append({"act": act, "jobs": jobs, "median_ms": median, "p95_ms": p95})
    medians = {act: median_p95(times_ms) for act, times_ms in times.items()}
    report.bars += [
        Bar("enqueue", medians["enqueue"][0] / 1000, 20, "s"),
        Bar("claim", medians["claim"][0], 5, "ms"),
        Bar("open and recover", medians["start"][0] / 1000, 2, "s"),
        Bar(
            "page of the list, p95",
            max(medians[f"{p} of the list"][1] for p in ("first page", "middle")),
            100,
            "ms",
        ),
    ]
    return report


def _page(store: Store, offset: int) -> None:
    store.jobs.page(JobState.QUEUED, limit=100, offset=offset)


def _start(path: Path) -> None:
    db = Database.open(path, QueryRecorder())
    Store(db).jobs.recover(3)
    db.close()


def _ms(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000
