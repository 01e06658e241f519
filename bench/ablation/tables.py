"""Claims 2, 4 and 6: indexes, pages instead of everything, one statement instead of many."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

import duckdb
import polars as pl

from bench.ablation.lab import browsing, fill, opened
from bench.ablation.outcome import Outcome, median
from bench.report import interleaved_ms
from core.services import Services

PAGE = "SELECT * FROM {table} WHERE project_id = ? ORDER BY created_at DESC, id LIMIT 50 OFFSET ?"
PROJECTS = 20
SORTS = ("name", "-created", "-name")


def composite_index(quick: bool) -> list[Outcome]:
    """Pages of one table, bare and with the composite index that the claim is about."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    count = 10_000 if quick else 200_000
    connection.register("made", _rows(count))
    for table in ("bare", "indexed"):
        connection.execute(f"CREATE TABLE {table} AS FROM made")
    connection.execute("CREATE INDEX composite ON indexed (project_id, created_at)")
    dice = random.Random(1)
    parameters = {"project": "p7", "offset": 0}

    def page(table: str) -> Callable[[], object]:
        text = PAGE.format(table=table)
        return lambda: connection.execute(text, [parameters["project"], parameters["offset"]]).fetchall()

    times: dict[str, list[float]] = {"bare": [], "indexed": []}
    for _ in range(10 if quick else 150):
        parameters |= {"project": f"p{dice.randrange(PROJECTS)}", "offset": dice.randrange(400)}
        for table, taken in times.items():
            start = time.perf_counter()
            page(table)()
            taken.append((time.perf_counter() - start) * 1000)
    connection.close()
    off, on = median(times["bare"]), median(times["indexed"])
    return [
        Outcome(
            2,
            "as it says, in DuckDB",
            f"a page of 50 of {count} rows, DuckDB, index on (project_id, created_at)",
            "none: they are not built",
            "ms",
            off,
            on,
            on <= 0.5 * off,
            "The page index in the next line is what this app uses instead.",
            "this database reads whole columns at once and does not use such an index to find a page, so the "
            "index changes nothing; it was made for databases that read row by row.",
        )
    ]


def page_index(quick: bool) -> list[Outcome]:
    """Pages anywhere in a large project, with and without the page index."""
    count = 2_000 if quick else 50_000
    dice = random.Random(2)
    times: dict[bool, list[float]] = {False: [], True: []}
    with ExitStack() as stack:
        sides = {}
        for on in times:
            services = stack.enter_context(opened(page_index=on))
            project = fill(services, "large", count)
            sides[on] = partial(services.store.images.page, project.id)
        for round_ in range(5 if quick else 80):
            sort = SORTS[round_ % len(SORTS)]
            offset = dice.randrange(count - 50)
            for on, page in sides.items():
                start = time.perf_counter()
                page(sort=sort, limit=50, offset=offset)
                if round_ >= len(SORTS):  # the first of each sort builds its order
                    times[on].append((time.perf_counter() - start) * 1000)
    off, on_ms = median(times[False]), median(times[True])
    return [
        Outcome(
            2,
            "the page index in place of them",
            f"any page of 50, three sorts, a project of {count} images",
            "PAGE_INDEX=off",
            "ms",
            off,
            on_ms,
            on_ms <= 0.5 * off,
            why_not="the project is so small that the database itself finds a page about as fast.",
        )
    ]


def pagination(quick: bool) -> list[Outcome]:
    """A list of images whole and by pages, in a small and in a large project."""
    small, large = (200, 2_000) if quick else (500, 20_000)
    with opened(max_page_size=large) as services, browsing(services) as browser:
        paths = {n: f"/api/projects/{fill(services, str(n), n).id}/images" for n in (small, large)}
        times = interleaved_ms(
            {
                "all": lambda: browser.get(paths[large], f"limit={large}"),
                "page": lambda: browser.get(paths[large], "limit=50"),
                "page of small": lambda: browser.get(paths[small], "limit=50"),
            },
            3 if quick else 15,
        )
    off, on = median(times["all"]), median(times["page"])
    growth = on / median(times["page of small"])
    return [
        Outcome(
            4,
            "pages instead of everything",
            f"GET of the images of a project of {large}",
            f"MAX_PAGE_SIZE={large}",
            "ms",
            off,
            on,
            on < off and growth < 1.5,
            f"A first page of {large} images takes {growth:.2f} times that of {small}.",
            "a page takes longer the more images there are, so part of the work grows with the project.",
        )
    ]


def batching(quick: bool) -> list[Outcome]:
    """The list of projects in one statement, and with a statement a project."""
    count = 20 if quick else 200
    with opened(cache=False) as services:  # which would keep the list
        for number in range(count):
            fill(services, f"Project {number}", 20)
        ids = [project.id for project in services.store.projects.list()]
        times = interleaved_ms(
            {
                "one by one": lambda: [services.store.projects.get(project_id) for project_id in ids],
                "one statement": services.store.projects.list,
            },
            2 if quick else 10,
        )
        statements = _statements(services, services.store.projects.list)
    off, on = median(times["one by one"]), median(times["one statement"])
    return [
        Outcome(
            6,
            "one statement for the list of projects",
            f"the list of {count} projects with counts and pictures",
            "PROJECT_LIST_BATCHING=off",
            "ms",
            off,
            on,
            statements == 1 and on < off,
            f"{statements} statement for the list, {count} + 1 without.",
            "the list took more than one question to the database, or was not faster for it.",
        )
    ]


def _statements(services: Services, act: Callable[[], object]) -> int:
    """How many statements ``act`` runs, as the recorder saw them."""
    services.recorder.take()
    act()
    taken = services.recorder.take()
    return sum(histogram.calls for series, histogram in taken.items() if series.name.startswith("projects."))


def _rows(count: int) -> pl.DataFrame:
    start = datetime(2026, 1, 1)
    return pl.DataFrame(
        {
            "id": [f"{(number * 2_654_435_761) % 2**32:08x}" for number in range(count)],
            "project_id": [f"p{number % PROJECTS}" for number in range(count)],
            "name": [f"A{number:06}.tif" for number in range(count)],
            "created_at": [start + timedelta(seconds=number) for number in range(count)],
            "diameter": [200.0 + number % 977 for number in range(count)],
        }
    )
