"""What recording costs: one record, a statement with and without it, and the throughput of the JSON API."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient

from bench.report import Bar, Report, median_p95
from core import http
from core.db import Database
from core.monitoring import QueryRecorder, Recorder
from core.services import Services
from core.settings import Settings

RECORDS = 20_000


def run(quick: bool) -> Report:
    """Time the recorder alone, then each workload with recording on and off in turns."""
    report = Report("monitoring")
    alone = [_alone_us() for _ in range(3 if quick else 15)]
    median, p95 = median_p95(alone)
    report.rows.append(_row("one record, counted (processor time)", "µs", None, median, p95))
    report.bars.append(Bar("one statement recorded and counted, processor time", median, 2, "µs"))
    with tempfile.TemporaryDirectory() as folder:
        _in_place(report, Path(folder), 200 if quick else 4000)
        _statements(report, Path(folder), 200 if quick else 4000)
        _requests(report, Path(folder), 50 if quick else 1500)
    return report


def _alone_us() -> float:
    """Mean processor time of one record, the folding into histograms included."""
    recorder = Recorder()
    queries = QueryRecorder(recorder)
    start = time.thread_time()
    for number in range(RECORDS):
        queries.record("images.page", 2.0 + number % 50, 50)
    recorder.take()
    return (time.thread_time() - start) / RECORDS * 1e6


def _in_place(report: Report, folder: Path, rounds: int) -> None:
    """One record right after a statement, which leaves the processor's caches full of other things."""
    db = Database.open(folder / "in place.duckdb", QueryRecorder(Recorder(enabled=False)))
    sides = {False: _Nobody().record, True: QueryRecorder().record}
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds):
        for side, record in sides.items():
            with db.read() as session:
                session.rows("jobs.waiting")
                start = time.perf_counter_ns()
                record("jobs.waiting", 0.5, 1)
                times[side].append((time.perf_counter_ns() - start) / 1000)
    db.close()
    report.rows.append(_compared("one record, right after a statement", times[False], times[True]))
    cost = statistics.median(times[True]) - statistics.median(times[False])
    report.bars.append(Bar("one statement recorded, in place", cost, 2, "µs"))


class _Nobody(QueryRecorder):
    """Records nothing: what the measuring itself takes."""

    def record(self, name: str, ms: float, rows: int) -> None:
        pass


def _statements(report: Report, folder: Path, rounds: int) -> None:
    recorder = Recorder()
    db = Database.open(folder / "a.duckdb", QueryRecorder(recorder))

    def ask() -> None:
        with db.read() as session:
            session.rows("jobs.waiting")

    off, on = in_turns(recorder, ask, rounds)
    db.close()
    report.rows.append(_compared("a statement, with its cursor", off, on))


def _requests(report: Report, folder: Path, rounds: int) -> None:
    services = Services.open(Settings(data=folder / "data"))
    for number in range(20):
        services.create_project(f"Project {number}")
    app = Starlette(
        routes=http.routes(lambda: services), middleware=http.middleware(services.settings, lambda: services)
    )
    with TestClient(app, base_url="http://localhost") as client:
        off, on = in_turns(services.recorder, lambda: client.get("/api/projects"), rounds)
    services.close()
    report.rows.append(_compared("GET /api/projects", off, on))
    lost = 100 * (1 - statistics.median(off) / statistics.median(on))
    report.bars.append(Bar("throughput lost to recording", lost, 1, "%"))


def in_turns(recorder: Recorder, act: Callable[[], object], rounds: int) -> tuple[list[float], list[float]]:
    """Times of ``act`` in µs with the recorder off and on: in pairs, and each first in turns."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(rounds + 20):
        for enabled in (number % 2 == 0, number % 2 == 1):
            recorder.enabled = enabled
            start = time.perf_counter()
            act()
            times[enabled].append((time.perf_counter() - start) * 1e6)
    return times[False][20:], times[True][20:]


def _compared(what: str, off: list[float], on: list[float]) -> dict[str, str | float | None]:
    median, p95 = median_p95(on)
    return _row(what, "µs", statistics.median(off), median, p95)


def _row(what: str, unit: str, off: float | None, median: float, p95: float) -> dict[str, str | float | None]:
    return {
        "what": what,
        "unit": unit,
        "median_off": off,
        "median_on": median,
        "p95_on": p95,
        "difference": None if off is None else median - off,
        "ratio": None if off is None else median / off,
    }
