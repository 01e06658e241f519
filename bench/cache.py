"""A lab at work: looks at projects while results are committed, with the cache in memory, in Redis, and
off.

Simulated, so the share of hits depends on what is assumed: five views a second, projects chosen by Zipf's
law; 0.05, 0.5 and 2 commits a second to the four projects that are looked at most, for ten minutes from a
start with nothing in memory. Time is not waited for: views and commits come in the order that they would. Of
ten views seven are pages of the image table, two the list of projects, one the statistics of a project.

A view is answered without a scan if the database ran no statement for it but look-ups by primary key: those
are the project's row, and the rows that a commit has changed since a table in memory was read. The first page
of each project loads it, which is a scan and counts as one; how many views those were stands in a column.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen

import redis

from bench.lab import MILLION, QUICK, Lab, Statements, make
from bench.report import Bar, Report, median_p95
from core.cache import Cache, open_cache
from core.db import Database
from core.models import ImageFilter, ImageStatus
from core.store import PAGE_INDEX_BYTES, Store

VIEWS_A_SECOND, RATES, ACTIVE = 5, (0.05, 0.5, 2.0), 4
USUAL = 0.5  # the rate at which the backends are compared
LOOK_UPS = {"projects.list", "images.table_of"}  # by primary key, or of the project table alone
LOAD = "images.table"
SORTS = ("-created", "-created", "-created", "name", "-diameter", "-status")


def run(quick: bool) -> Report:
    """Each rate of commits, the usual one with each backend, on the same database and the same views."""
    report = Report("cache")
    seconds = 120 if quick else 600
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as folder:
        lab = make(Path(folder), QUICK if quick else MILLION)
        with redis_for_a_while(Path(folder)) as url:
            backends = {"memory": ("on", ""), "off": ("off", "")} | ({"redis": ("on", url)} if url else {})
            for rate in RATES:
                for name, (switch, address) in backends.items():
                    if name != "memory" and rate != USUAL:
                        continue
                    # Without a cache nothing warms up, and every view takes long.
                    length = seconds // 10 if name == "off" else seconds
                    with closing(open_cache(switch == "on", 128 * 2**20, address)) as cache:
                        _measure(report, lab, rate, length, (name, cache))
    return report


def _measure(report: Report, lab: Lab, rate: float, seconds: int, backend: tuple[str, Cache]) -> None:
    name, cache = backend
    ran = Statements()
    db = Database.open(lab.path, ran)
    try:
        store = Store(db, page_index_bytes=PAGE_INDEX_BYTES if name != "off" else 0, cache=cache)
        times: dict[str, list[float]] = {}
        scans: Counter[str] = Counter()
        loads: Counter[str] = Counter()
        for kind, act in _acts(lab, store, rate, seconds):
            if kind == "commit":
                act()
                continue
            ran.names.clear()
            start = time.perf_counter()
            act()
            times.setdefault(kind, []).append((time.perf_counter() - start) * 1000)
            scans[kind] += bool(set(ran.names) - LOOK_UPS)
            loads[kind] += LOAD in ran.names
        _add(report, (name, rate), times, scans, loads)
    finally:
        db.close()


def _add(
    report: Report,
    what: tuple[str, float],
    times: dict[str, list[float]],
    scans: Counter[str],
    loads: Counter[str],
) -> None:
    name, rate = what
    for kind, values in times.items():
        median, p95 = median_p95(values)
        row = {"commits_a_second": rate, "cache": name, "view": kind, "views": len(values)}
        row |= {
            "without_scan_percent": 100 * (1 - scans[kind] / len(values)),
            "first_loads_percent": 100 * loads[kind] / len(values),
            "median_ms": median,
            "p95_ms": p95,
        }
        report.rows.append(row)
    views = sum(map(len, times.values()))
    share = 100 * (1 - scans.total() / views)
    if name == "memory" and rate == USUAL:
        report.bars.append(Bar("answered without a scan, 0.5 commits/s", share, 90, "%", at_most=False))


def _acts(lab: Lab, store: Store, rate: float, seconds: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Views and commits as they would come; the same for every backend."""
    chance = random.Random(7)
    keys = [key for key, _ in lab.projects]
    sizes = dict(lab.projects)
    order = chance.sample(keys, len(keys))  # how often a project is looked at has nothing to do with its size
    weights = [1 / (index + 1) for index in range(len(order))]
    active = {key: store.images.page(key, limit=50).items for key in order[:ACTIVE]}
    due = 1 / rate
    for number in range(seconds * VIEWS_A_SECOND):
        while number / VIEWS_A_SECOND >= due:
            image = chance.choice(active[chance.choice(order[:ACTIVE])])
            yield "commit", partial(store.images.set_pixel_size, [image.id], chance.uniform(0.3, 0.9))
            due += 1 / rate
        key = chance.choices(order, weights)[0]
        if number % 5 == 4:
            yield "list of projects", store.projects.list
        elif number % 10 == 7:
            yield "statistics", partial(store.results.size, key)
        else:
            image_filter = ImageFilter((ImageStatus.FAILED,)) if chance.random() < 0.1 else ImageFilter()
            offset = chance.randrange(max(1, sizes[key] // 50)) * 50 if chance.random() < 0.3 else 0
            sort = chance.choice(SORTS)
            yield "page", partial(store.images.page, key, image_filter, sort, 50, offset)


@contextmanager
def redis_for_a_while(folder: Path) -> Iterator[str | None]:
    """A throw-away Redis; None where none is installed."""
    if shutil.which("redis-server") is None:
        yield None
        return
    address = folder / "redis.sock"
    server = Popen(["redis-server", "--port", "0", "--unixsocket", address, "--save", ""], stdout=DEVNULL)
    try:
        with closing(redis.Redis.from_url(f"unix://{address}")) as client:
            for _ in range(100):
                try:
                    client.ping()
                    break
                except redis.RedisError:
                    time.sleep(0.05)
        yield f"unix://{address}"
    finally:
        server.kill()  # it holds nothing that is worth saving
        server.wait()
