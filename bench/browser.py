"""The image table in a real browser, over a million rows: from click to rows painted, and the first table.

Chromium, headless, at 1280 × 800, on the lab of ``bench.lab``, all of its small pictures one and the same.
What is timed runs in the page: from the pager's change until every row in view has its name, and two more
frames.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import cv2
import duckdb
import numpy as np
from playwright.sync_api import Frame, Page

from bench.lab import MILLION, QUICK, Lab, make
from bench.report import Bar, Report, median_p95
from core.files.blobs import Blobs
from tests.browser.chromium import ROOT, browser_tab, streamlit_server

SIZE = 50  # rows a page
TIMED = """
([size, page]) => new Promise(done => {
  const start = performance.now();
  const number = document.querySelector('.tools input[type=number]');
  number.value = page + 1;
  number.dispatchEvent(new Event('change'));
  const painted = () => {
    const rows = [...document.querySelectorAll('.ag-center-cols-container .ag-row')];
    const there = rows.filter(row => Number(row.getAttribute('row-index')) >= page * size);
    const named = rows.every(row => row.querySelector('.opens').textContent);
    if (there.length && there.length === rows.length && named) {
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
    } else {
      requestAnimationFrame(painted);
    }
  };
  requestAnimationFrame(painted);
})
"""


def run(quick: bool) -> Report:
    """Open the table cold and warm, then jump to pages at random depth, in each order."""
    report = Report("browser")
    rounds = 5 if quick else 40
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        lab = make(Path(folder), QUICK if quick else MILLION)
        _give_pictures(lab)
        project, images = lab.projects[0]
        os.environ["SPHEROSCOPE_DATA"] = folder
        with streamlit_server(ROOT / "app.py") as server:
            address = f"{server}/images?project={project}"
            first = [_opened(address) for _ in range(3 if quick else 7)]
            _add(report, "first table, server just started", first[:1], 3000)
            _add(report, "first table, empty browser", first[1:], 3000)
            with browser_tab() as tab:
                _open(tab.page, address)
                frame = _frame(tab.page)
                for column in ("created", "name", "diameter"):
                    times = _jumps(frame, column, rounds, images // SIZE - 1)
                    _add(report, f"page change, by {column}", times, 500)
    return report


def _add(report: Report, what: str, times: list[float], bar: float) -> None:
    median, p95 = median_p95(times)
    report.rows.append({"what": what, "rounds": len(times), "median_ms": median, "p95_ms": p95})
    report.bars.append(Bar(f"{what}, p95", p95, bar, "ms"))


def _opened(address: str) -> float:
    """Milliseconds from the address being entered to the first row, in a browser that has seen nothing."""
    with browser_tab() as tab:
        start = time.perf_counter()
        _open(tab.page, address)
        return (time.perf_counter() - start) * 1000


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.frame_locator("iframe").first.locator(".ag-row .opens").first.wait_for(timeout=60_000)


def _frame(page: Page) -> Frame:
    return next(frame for frame in page.frames if "AgGrid" in frame.url)


def _jumps(frame: Frame, column: str, rounds: int, pages: int) -> list[float]:
    frame.locator(f".ag-header-cell[col-id={column}] .ag-header-cell-label").click()
    frame.page.wait_for_timeout(1000)
    chance = random.Random(1)
    return [float(frame.evaluate(TIMED, [SIZE, chance.randrange(1, pages)])) for _ in range(rounds)]


def _give_pictures(lab: Lab) -> None:
    """The lab's small pictures are names of files that are not there: give them one that is."""
    picture = bytes(cv2.imencode(".png", np.full((96, 128), 120, np.uint8))[1])
    digest = Blobs(lab.folder).put(picture)
    with duckdb.connect(str(lab.path)) as connection:
        connection.execute("UPDATE image SET thumbnail_sha256 = ?", [digest])
        connection.execute("UPDATE version SET thumbnail_sha256 = ?", [digest])
