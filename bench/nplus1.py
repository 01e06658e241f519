"""The list of projects with counts and pictures: a loop over them beside one statement for all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.lab import Lab, Size, Statements, make
from bench.report import Bar, Report, interleaved_ms, median_p95
from core.cache import MemoryCache
from core.db import Database
from core.models.quality import LOOK_BELOW
from core.store import Store

IMAGES_A_PROJECT = 200


def run(quick: bool) -> Report:
    """Both ways for 10, 200 and 1 000 projects, and what the cache leaves to do; they take turns."""
    report = Report("nplus1")
    for projects in (10, 50) if quick else (10, 200, 1000):
        images = projects * IMAGES_A_PROJECT
        with tempfile.TemporaryDirectory(prefix="bench-nplus1-") as folder:
            lab = make(Path(folder), Size(projects, images, images // 5))
            _measure(report, lab, 2 if quick else 7)
    return report


def _measure(report: Report, lab: Lab, rounds: int) -> None:
    ran = Statements()
    db = Database.open(lab.path, ran)
    try:
        plain, cached = Store(db), Store(db, cache=MemoryCache(64 * 2**20))
        ids = [key for key, _ in lab.projects]
        sides: dict[str, Callable[[], object]] = {
            "a loop over the projects": lambda: [_counted(db, key) for key in ids],
            "one statement": plain.projects.list,
            "one statement, counts kept": cached.projects.list,
        }
        assert {item.id: item.n_images for item in plain.projects.list()} == dict(lab.projects)
        statements = {name: _statements(ran, ask) for name, ask in sides.items()}
        medians = {}
        for side, values in interleaved_ms(sides, rounds).items():
            median, p95 = median_p95(values)
            medians[side] = median
            row = {"projects": len(ids), "side": side, "statements": statements[side]}
            report.rows.append(row | {"median_ms": median, "p95_ms": p95})
    finally:
        db.close()
    loop, one = list(medians.values())[:2]
    report.bars.append(Bar(f"{len(ids)} projects, one statement / loop", one / loop, 1, "times"))
    report.bars.append(Bar(f"{len(ids)} projects, statements", statements["one statement"], 3, "statements"))


def _counted(db: Database, project_id: str) -> object:
    """What the list shows of one project, asked for by itself."""
    with db.read() as session:
        session.rows("projects.list", {"id": project_id})
        return session.rows("projects.totals", {"ids": [project_id], "look_below": LOOK_BELOW})


def _statements(ran: Statements, ask: Callable[[], object]) -> int:
    ask()  # what is kept is kept from here on
    before = len(ran.names)
    ask()
    return len(ran.names) - before
