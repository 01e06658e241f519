"""Pages of an image table at a million rows: ours beside our SQL path, SQLite and PostgreSQL with their
indexes.

Pages of a project that is loaded and the first one of each, which loads it, are told apart, in rows and bars.
Every request goes to every side in turn, so they share each bad moment; first with nobody else about, then
with four writers that commit results to all of them. Ours answers with the rows as models and the number
of rows; the peers fetch the rows only. Then the app is started on the same database and asked over HTTP.
"""

from __future__ import annotations

import gc
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.lab import MILLION, QUICK, Lab, make
from bench.peers import Finished, Postgres, Request, Sqlite, postgres_server
from bench.report import Bar, Report, median_p95
from bench.serving import Server
from core.db import Database
from core.listing.image_table import SELECT_LIST, SUMMARY
from core.models import ImageFilter, ImageStatus
from core.monitoring import QueryRecorder
from core.store import Store

WRITERS, COMMITS_A_SECOND = 4, 16
INDEX_BYTES = 512 * 2**20  # room for all projects in every order that is asked for, to see how much they take
FIRST_LOAD = "of a project that was not loaded"  # apart from pages of those that are, whatever was asked
Side = Callable[[Request], object]
Times = dict[tuple[str, str], list[float]]  # by request's kind and side


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and what it is an example of."""

    kind: str
    request: Request


@dataclass
class Sides:
    """Everything that is measured, open."""

    db: Database
    ours: Store
    pages: dict[str, Side]
    commits: dict[str, Callable[[Finished], None]] = field(default_factory=dict)


def run(quick: bool) -> Report:
    """Measure all sides; see the module."""
    report = Report("tables")
    with tempfile.TemporaryDirectory(prefix="bench-tables-") as folder:
        lab = make(Path(folder), QUICK if quick else MILLION)
        requests = list(_requests(lab, 3 if quick else 25))
        with _opened(lab, Path(folder)) as sides:
            quiet = _measure(sides, requests)
            with _writers(sides, lab):
                busy = _measure(sides, requests)
            _add_rows(report, "quiet", quiet)
            _add_rows(report, "4 writers", busy)
            _add_cold_build(report, sides, lab, 3 if quick else 7)
            _add_memory(report, sides, lab)
        over_http = _measure_http(lab, requests)
        _add_rows(report, "quiet", over_http)
    _add_bars(report, quiet, over_http)
    return report


def _requests(lab: Lab, rounds: int) -> Iterator[Asked]:
    """The kinds of request in turn, of the largest project and of any; the same every time."""
    chance = random.Random(4)
    largest, count = lab.projects[0]
    for _ in range(rounds):
        for sort in ("-created", "name", "-status", "-diameter"):
            deep = chance.randrange(max(1, count - 50))
            yield Asked(f"largest, by {sort.lstrip('-')}, any page", Request(largest, sort, offset=deep))
        yield Asked("largest, first page", Request(largest))
        key, other = chance.choice(lab.projects)
        yield Asked("any project, any page", Request(key, offset=chance.randrange(max(1, other - 50))))
        yield Asked("any project, first page", Request(key))
        failed = chance.randrange(max(1, count // 25))
        yield Asked("largest, failed, any page", Request(largest, status="failed", offset=failed))
        well = f"_{chance.choice('ABCDEFGH')}{chance.randrange(1, 13):02}_"
        yield Asked("largest, name contains", Request(largest, name=well))


def _page_of(store: Store, request: Request) -> object:
    status = (ImageStatus(request.status),) if request.status else ()
    image_filter = ImageFilter(status, request.name)
    return store.images.page(request.project_id, image_filter, request.sort, request.limit, request.offset)


@contextmanager
def _opened(lab: Lab, folder: Path) -> Iterator[Sides]:
    with ExitStack() as stack:
        peers: dict[str, Any] = {"SQLite": Sqlite(folder / "peer.sqlite", lab)}
        address = stack.enter_context(postgres_server())
        if address is not None:
            peers["PostgreSQL"] = Postgres(address, lab)
        db = Database.open(lab.path, QueryRecorder())
        stack.callback(db.close)
        ours, by_sql = Store(db, page_index_bytes=INDEX_BYTES), Store(db, page_index_bytes=0)
        pages: dict[str, Side] = {
            "ours": lambda request: _page_of(ours, request),
            "PAGE_INDEX=off": lambda request: _page_of(by_sql, request),
        }
        sides = Sides(db, ours, pages)
        sides.commits["ours"] = lambda finished: _commit(db, finished)
        for name, peer in peers.items():
            stack.callback(peer.close)
            pages[name], sides.commits[name] = peer.page, peer.commit
        yield sides


def _commit(db: Database, finished: Finished) -> None:
    """One result as store.results saves it, without its job: an image's row and three objects."""
    values: dict[str, object] = dict.fromkeys(SUMMARY) | {
        "id": finished.image_id,
        "request": 1,
        "version_id": finished.image_id,
        "n_objects": 3,
        "largest_diameter_px": finished.diameter,
        "largest_area_px": finished.diameter**2,
        "largest_circularity": 0.9,
        "confidence": 0.9,
        "seconds": 0.2,
    }

    assignments = ", ".join(f"{name} = ${name}" for name in SUMMARY)

    def work(session: Any) -> None:
        session.rows("retention.objects", {"version_ids": [finished.image_id]})
        touched = {"id": finished.image_id, "project_id": finished.project_id}
        session.change("images.set_in_force", values, touched, summary=assignments)

    db.write(work)


@contextmanager
def _writers(sides: Sides, lab: Lab) -> Iterator[None]:
    """Four threads that commit 16 results a second to every side."""
    with sides.db.read() as session:
        values = {"project_id": lab.projects[0][0]}
        parts = {"columns": SELECT_LIST, "where": "", "order": "created_at"}
        ids = [row["id"] for row in session.rows("images.ids", values, **parts)]
    stop = threading.Event()

    def write(seed: int) -> None:
        chance = random.Random(seed)
        while not stop.wait(WRITERS / COMMITS_A_SECOND):
            finished = Finished(chance.choice(ids), lab.projects[0][0], chance.uniform(40, 440))
            for commit in sides.commits.values():
                commit(finished)

    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, seed) for seed in range(WRITERS)]
        try:
            yield
        finally:
            stop.set()
        for writer in writers:
            writer.result()  # or there was nobody else about


def _measure(sides: Sides, requests: list[Asked]) -> Times:
    warm = {item.kind: item for item in requests}
    for item in warm.values():
        for ask in sides.pages.values():
            ask(item.request)
    times: Times = {}
    gc.collect()
    for item in requests:
        loads = _loads(sides)
        spent = {}
        for name, ask in sides.pages.items():
            start = time.perf_counter()
            ask(item.request)
            spent[name] = (time.perf_counter() - start) * 1000
        kind = FIRST_LOAD if _loads(sides) > loads else item.kind
        for name, ms in spent.items():
            times.setdefault((kind, name), []).append(ms)
    return times


def _loads(sides: Sides) -> int:
    index = sides.ours.page_index
    assert index is not None
    return index.snapshot()["loads"]


def _measure_http(lab: Lab, requests: list[Asked]) -> Times:
    """The same requests of the running app, by one client that keeps its connection."""
    times: Times = {}
    with Server(lab.folder) as server:
        for item in [*{item.kind: item for item in requests}.values(), *requests]:
            request = item.request
            query = {"sort": request.sort, "limit": request.limit, "offset": request.offset}
            query |= {"status": request.status or "", "name": request.name or ""}
            start = time.perf_counter()
            server.get(f"/api/projects/{request.project_id}/images", query)
            times.setdefault((item.kind, "ours over HTTP"), []).append((time.perf_counter() - start) * 1000)
    return {key: values[1:] for key, values in times.items()}  # the first of each kind warms up


def _add_rows(report: Report, load: str, times: Times) -> None:
    medians = {key: median_p95(values)[0] for key, values in times.items()}
    for (kind, side), values in times.items():
        median, p95 = median_p95(values)
        ours = medians.get((kind, "ours"))
        row = {"load": load, "request": kind, "side": side, "median_ms": median, "p95_ms": p95}
        report.rows.append(row | {"ours_times_faster": median / ours if ours else None})


def _add_cold_build(report: Report, sides: Sides, lab: Lab, rounds: int) -> None:
    index = sides.ours.page_index
    assert index is not None
    times = []
    for _ in range(rounds):
        index.clear()
        start = time.perf_counter()
        _page_of(sides.ours, Request(lab.projects[0][0]))
        times.append((time.perf_counter() - start) * 1000)
    median, p95 = median_p95(times)
    row = {"load": "quiet", "request": "largest, first page, nothing loaded", "side": "ours"}
    report.rows.append(row | {"median_ms": median, "p95_ms": p95, "ours_times_faster": None})
    report.bars.append(Bar("cold build of the largest project", median, 400, "ms"))


def _add_memory(report: Report, sides: Sides, lab: Lab) -> None:
    index = sides.ours.page_index
    assert index is not None
    index.clear()
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    for key, _ in lab.projects:
        for sort in ("-created", "name", "-status", "-diameter"):
            _page_of(sides.ours, Request(key, sort))
    counts = index.snapshot()
    grown = (process.memory_info().rss - before) / 2**20
    report.bars.append(
        Bar("index of all projects in four orders, counted", counts["bytes"] / 2**20, 300, "MB")
    )
    report.bars.append(Bar("the same, as the process grew", grown, 300, "MB"))


def _add_bars(report: Report, quiet: Times, over_http: Times) -> None:
    def together(times: Times, side: str, what: str) -> list[float]:
        return [
            ms for (kind, name), all_ms in times.items() if name == side and what in kind for ms in all_ms
        ]

    ours = together(quiet, "ours", "any page")
    report.bars.append(Bar("any page of a loaded project in process, p95", median_p95(ours)[1], 10, "ms"))
    if loading := together(quiet, "ours", FIRST_LOAD):
        report.bars.append(
            Bar("first page of a project, which loads it, p95", median_p95(loading)[1], 100, "ms")
        )
    http = median_p95(together(over_http, "ours over HTTP", "any page"))[1]
    report.bars.append(Bar("any page over HTTP, p95", http, 25, "ms"))
    first = median_p95(together(quiet, "ours", "first page"))[0]
    report.bars.append(Bar("first page of a loaded project in process, median", first, 1, "ms"))
    for side, bar in (("SQLite", 0.5), ("PostgreSQL", 0.2)):
        if theirs := together(quiet, side, "any page"):
            ratio = median_p95(ours)[0] / median_p95(theirs)[0]
            report.bars.append(Bar(f"any page, ours / {side}, median", ratio, bar, "times"))
