"""Claim 5: a browser draws the rows in sight first, and scrolls as smoothly as if all rows had been drawn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.ablation.lab import fill
from bench.ablation.outcome import Outcome, median
from bench.report import median_p95
from bench.serving import Server
from core.services import Services
from core.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
IMAGES, ROWS = 2000, 200
NOISE = 1.1  # frames may be this much longer: two runs of one side differ by as much
DRAWN = "rows => document.querySelectorAll('.ag-center-cols-container .ag-row').length >= rows"
# Shows the next page; gives the time until all rows drawn have their names, in ms, and how many those are.
OPEN_PAGE = """async (page) => {
  const start = performance.now();
  const number = document.querySelector('.tools input[type=number]');
  number.value = page;
  number.dispatchEvent(new Event('change'));
  while (true) {
    await new Promise(requestAnimationFrame);
    const rows = [...document.querySelectorAll('.ag-center-cols-container .ag-row')];
    const first = Math.min(...rows.map(row => Number(row.getAttribute('row-index'))));
    if (first === (page - 1) * ROWS && rows.every(row => row.querySelector('.opens').textContent)) {
      return [performance.now() - start, rows.length];
    }
  }
}""".replace("ROWS", str(ROWS))
# Time between frames while the table is scrolled through, in ms.
SCROLL = """async (viewport) => {
  const frames = [];
  let last = performance.now();
  for (let step = 0; step < 50; step++) {
    viewport.scrollTop += 200;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""


@dataclass
class Side:
    """What was measured with all rows of a page drawn at once, or with those in sight drawn first."""

    rows: list[float] = field(default_factory=list)
    shown_ms: list[float] = field(default_factory=list)
    frames_ms: list[float] = field(default_factory=list)
    work_ms: list[float] = field(default_factory=list)  # of the page's main thread, a frame


def virtual_list(quick: bool) -> list[Outcome]:
    """Open and scroll pages of 200 rows, every row drawn at once and those in sight first, in turns."""
    if not CHROMIUM.exists():
        return [_outcome("rows drawn", remark="There is no Chromium on this machine.")]
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only here, and not needed elsewhere
    except ImportError:
        return [_outcome("rows drawn", remark="Playwright is not installed.")]
    off, on = Side(), Side()
    with ExitStack() as stack:
        sides = [(side, stack.enter_context(_served(side is on))) for side in (off, on)]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(1 if quick else 5):
            for side, address in sides:
                _measure(browser, address, side)
        browser.close()
    return _judged(off, on)


def _judged(off: Side, on: Side) -> list[Outcome]:
    """Two lines: by the rows that are drawn before a page can be used, and by the frames of a scroll."""
    rows = (median(off.rows), median(on.rows))
    frames = (median_p95(off.frames_ms)[1], median_p95(on.frames_ms)[1])
    shown = (
        f"A page is there after {median(off.shown_ms):.0f} ms off, {median(on.shown_ms):.0f} ms on; the rest "
        "of it is drawn while the browser is idle, so that it scrolls without drawing."
    )
    work = f"The browser worked {median(off.work_ms):.1f} ms a frame off, {median(on.work_ms):.1f} ms on."
    return [
        _outcome(
            "rows drawn", *rows, rows[1] < rows[0], shown, "as many rows were drawn at first as without."
        ),
        _outcome(
            "ms a frame, p95",
            *frames,
            frames[1] <= NOISE * frames[0],
            f"19 of 20 frames of a scroll came within this time; a screen shows one every 17 ms. {work}",
            "rows were still drawn while the table was scrolled, or the computer was busy with other things.",
        ),
    ]


def _outcome(
    unit: str,
    off: float | None = None,
    on: float | None = None,
    holds: bool | None = None,
    remark: str = "",
    why_not: str = "",
) -> Outcome:
    return Outcome(
        5,
        "the rows in sight are drawn first",
        f"pages of {ROWS} of {IMAGES} images, opened and scrolled through in Chromium",
        "VIRTUAL_LIST_ENABLED=off",
        unit,
        off,
        on,
        holds,
        remark,
        why_not,
    )


def _measure(browser: Any, address: str, side: Side) -> None:
    """Open the table with 200 rows a page, go to another page, and scroll through it once it is at rest."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    try:
        page.goto(f"{address}&rows={ROWS}")
        table = page.frame_locator("iframe").first
        table.locator(".ag-row .opens a").first.wait_for(timeout=90_000)
        frame = next(frame for frame in page.frames if "AgGrid" in frame.url)
        frame.wait_for_function(DRAWN, arg=ROWS, timeout=60_000)
        shown_ms, rows = frame.evaluate(OPEN_PAGE, 3)
        side.shown_ms.append(shown_ms)
        side.rows.append(rows)
        frame.wait_for_function(DRAWN, arg=ROWS, timeout=60_000)
        page.wait_for_timeout(500)
        viewport = table.locator(".ag-body-viewport, .ag-grid-scrolling-viewport").first
        tools = page.context.new_cdp_session(page)
        tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _worked_ms(tools)
        frames_ms = viewport.evaluate(SCROLL)
        side.work_ms.append((_worked_ms(tools) - before) / len(frames_ms))
        side.frames_ms += frames_ms
    finally:
        page.close()


def _worked_ms(tools: Any) -> float:
    """Processor time of the page's main thread since it was opened."""
    metrics = tools.send("Performance.getMetrics")["metrics"]
    return 1000 * next(float(item["value"]) for item in metrics if item["name"] == "TaskDuration")


@contextmanager
def _served(virtual: bool) -> Iterator[str]:
    """The app with its switch, on a folder of its own; gives the address of its table."""
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(Settings(data=Path(folder)))
        project = fill(services, "Large", IMAGES)
        services.close()
        with Server(Path(folder), VIRTUAL_LIST_ENABLED="on" if virtual else "off") as server:
            yield f"{server.address}/images?project={project.id}"
