"""Claim 8: what is asked for often is kept, in memory or in Redis, and is never out of date."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bench.ablation.lab import Browser, browsing, opened
from bench.ablation.outcome import Outcome, median
from bench.cache import redis_for_a_while
from bench.scenes import png, spheroids
from core.services import Services

PROJECTS, IMAGES = 8, 5
VIEWS_A_COMMIT = 10  # five views a second, a commit every other
CLAIMED_PERCENT = 90
Act = Callable[[], float | None]  # a view gives its time in ms, a commit nothing


def caching(quick: bool) -> list[Outcome]:
    """Visitors look at projects while results are committed: nothing kept, kept in memory, kept in Redis."""
    views = 100 if quick else 2000
    with tempfile.TemporaryDirectory() as folder, redis_for_a_while(Path(folder)) as url:
        off = _visited(views, cache=False)
        outcomes = [_outcome(views, "kept in memory", "CACHE=off", off, _visited(views))]
        if url is None:
            missing = _outcome(views, "kept in Redis", "CACHE=off", off, None)
            return [*outcomes, missing]
        return [*outcomes, _outcome(views, "kept in Redis", "CACHE=off", off, _visited(views, redis_url=url))]


Visit = tuple[float, float]  # requests that the cache could not answer, in %; the median of a view in ms


def _outcome(views: int, what: str, switch: str, off: Visit, on: Visit | None) -> Outcome:
    workload = f"{views} views of {PROJECTS} projects: lists, thumbnails, full views; a commit to every tenth"
    unit = "% of requests not in the cache"
    if on is None:
        return Outcome(8, what, workload, switch, unit, remark="There is no redis-server on this machine.")
    remark = f"Hit rate {100 - on[0]:.1f} %, cold start and all. A view takes {off[1]:.2f} ms without, "
    return Outcome(
        8,
        what,
        workload,
        switch,
        unit,
        off[0],
        on[0],
        100 - on[0] >= CLAIMED_PERCENT,
        f"{remark}{on[1]:.2f} ms with it.",
        "results were saved so often that what had been kept was out of date when it was asked for again.",
    )


def _visited(views: int, **switches: Any) -> Visit:
    with ExitStack() as stack:
        services = stack.enter_context(opened(**switches))
        browser = stack.enter_context(browsing(services))
        _fill(services)
        before = _requests(services)
        times = [ms for act in _acts(services, browser, views) if (ms := act()) is not None]
        hits, misses = (now - then for now, then in zip(_requests(services), before, strict=True))
        return 100 * misses / (hits + misses), median(times)


def _requests(services: Services) -> tuple[int, int]:
    kinds = services.cache.snapshot()["kinds"].values()
    return sum(kind["hits"] for kind in kinds), sum(kind["misses"] for kind in kinds)


def _fill(services: Services) -> None:
    """Projects with a few images each; nothing is segmented."""
    for number in range(PROJECTS):
        project = services.create_project(f"Project {number}")
        for index in range(IMAGES):
            data = png(spheroids(512, 2, seed=number * IMAGES + index))
            services.ingest.add(project.id, f"{index}.png", data, None)


def _acts(services: Services, browser: Browser, views: int) -> Iterator[Act]:
    """Views and commits as they would come; the same for every side."""
    dice = random.Random(7)
    projects = sorted(services.store.projects.list(), key=lambda project: project.name)
    images = [services.store.images.ids(project.id) for project in projects]
    weights = [1 / (place + 1) for place in range(PROJECTS)]  # Zipf's law
    for number in range(views):
        (place,) = dice.choices(range(PROJECTS), weights)
        image_id = dice.choice(images[place])
        if number % VIEWS_A_COMMIT == 0:
            size = dice.uniform(0.3, 0.9)
            yield partial(_committed, services, image_id, size)
        path = ("/api/projects", f"/thumbs/{image_id}", f"/thumbs/{image_id}", f"/views/{image_id}.png")
        yield partial(_viewed, browser, path[number % len(path)])


def _committed(services: Services, image_id: str, um_per_px: float) -> None:
    services.store.images.set_pixel_size([image_id], um_per_px)


def _viewed(browser: Browser, path: str) -> float:
    return browser.get(path).ms
