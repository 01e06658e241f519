"""Claim 5: a browser draws the rows in sight, not those of the whole page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.ablation.lab import fill
from bench.ablation.outcome import Outcome, median
from bench.serving import Server
from core.services import Services
from core.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
IMAGES, ROWS = 2000, 200
SMOOTH_MS = 50.0  # between two frames
# Time between frames while the table is scrolled through, in ms.
SCROLL = """async (viewport) => {
  const frames = [];
  let last = performance.now();
  for (let step = 0; step < 60; step++) {
    viewport.scrollTop += 200;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""


def virtual_list(quick: bool) -> list[Outcome]:
    """Scroll the same table of 200 rows a page, every row drawn and only those in sight, in turns."""
    if not CHROMIUM.exists():
        return [_outcome(remark="There is no Chromium on this machine.")]
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only here, and not needed elsewhere
    except ImportError:
        return [_outcome(remark="Playwright is not installed.")]
    rows: dict[bool, list[float]] = {False: [], True: []}
    frames: dict[bool, list[float]] = {False: [], True: []}
    with ExitStack() as stack:
        addresses = {on: stack.enter_context(_served(on)) for on in rows}
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(1 if quick else 3):
            for on, address in addresses.items():
                drawn, times = _scrolled(browser, address)
                rows[on].append(drawn)
                frames[on] += times
        browser.close()
    off, on_rows = median(rows[False]), median(rows[True])
    slowest = {on: sorted(times)[int(0.95 * len(times))] for on, times in frames.items()}
    remark = f"A frame while scrolling (p95): {slowest[False]:.0f} ms off, {slowest[True]:.0f} ms on."
    return [_outcome(off, on_rows, on_rows < off and slowest[True] <= max(SMOOTH_MS, slowest[False]), remark)]


def _outcome(
    off: float | None = None, on: float | None = None, holds: bool | None = None, remark: str = ""
) -> Outcome:
    return Outcome(
        5,
        "the table draws the rows in sight",
        f"a table of {IMAGES} images, {ROWS} a page, scrolled through in Chromium",
        "VIRTUAL_LIST_ENABLED=off",
        "rows drawn",
        off,
        on,
        holds,
        remark,
    )


def _scrolled(browser: Any, address: str) -> tuple[float, list[float]]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    try:
        page.goto(address)
        frame = page.frame_locator("iframe").first
        frame.locator(".ag-row").first.wait_for(timeout=90_000)
        frame.locator(".ag-paging-page-size .ag-picker-field-wrapper").click()
        frame.locator(".ag-list-item", has_text=str(ROWS)).last.click()
        frame.locator(f".ag-row[row-index='{ROWS // 50}']").first.wait_for(timeout=60_000)
        page.wait_for_timeout(1500)
        viewport = frame.locator(".ag-body-viewport, .ag-grid-scrolling-viewport").first
        drawn = frame.locator(".ag-center-cols-container .ag-row").count()
        return drawn, viewport.evaluate(SCROLL)
    finally:
        page.close()


@contextmanager
def _served(virtual: bool) -> Iterator[str]:
    """The app with its switch, on a folder of its own; gives the address of its table."""
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(Settings(data=Path(folder)))
        project = fill(services, "Large", IMAGES)
        services.close()
        with Server(Path(folder), VIRTUAL_LIST_ENABLED="on" if virtual else "off") as server:
            yield f"{server.address}/images?project={project.id}"
