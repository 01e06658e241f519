"""The editor: frames while a stroke is drawn, time until the new numbers, clicks, and a simulated hand.

Frames and numbers are taken in headless Chromium, with the whole app behind it. Frames come at most 60 times
a second, 16.7 ms apart; what the page's own scripts do for each is taken beside it. The hand is in
``bench.editor_hand``.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Page

from bench.editor_mending import add_mending
from bench.report import Bar, Report, median_p95
from tests.browser.chromium import ROOT, browser_tab, streamlit_server
from tests.browser.editing import Labels, at, made_scene, opened, saved

FRAME_BAR_MS, WORK_BAR_MS, NUMBERS_BAR_MS, CLICK_BAR_MS = 17.0, 16.0, 150.0, 100.0
SHAPES = {"512²": (512, 512), "2048²": (2048, 2048), "80 megapixels": (7812, 10_240)}
COUNTS = (1, 50, 500)
MOST_RADIUS = 614  # of a spheroid, px: that of one alone in 2048²
# Counts the milliseconds that the page's own scripts work for frames and pointers.
WORK = """(() => {
  window.work = 0;
  const timed = (act) => function (...given) {
    const start = performance.now();
    try { return act.apply(this, given); } finally { window.work += performance.now() - start; }
  };
  const frame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (act) => frame(timed(act));
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, act, options) {
    const counts = type === 'pointermove' && typeof act === 'function';
    return add.call(this, type, counts ? timed(act) : act, options);
  };
})()"""
FRAMES = """() => {
  window.frames_ms = [];
  window.works_ms = [];
  let last = performance.now();
  window.work = 0;
  const frame = (now) => {
    window.frames_ms.push(now - last);
    window.works_ms.push(window.work);
    [last, window.work] = [now, 0];
    window.going = requestAnimationFrame(frame);
  };
  window.going = requestAnimationFrame(frame);
}"""
STOP = """() => {
  cancelAnimationFrame(window.going);
  return [window.frames_ms.slice(2), window.works_ms.slice(2)];
}"""
UNTIL_NUMBERS = """() => new Promise((done) => {
  const all = (part) => [...document.querySelectorAll('*')].flatMap((e) => e.shadowRoot ? [e.shadowRoot] : [])
    .flatMap((root) => [...root.querySelectorAll(part)]);
  const begin = () => {
    const start = performance.now();
    const there = () => all('td.pending').length || all('.saved')[0].textContent !== 'Saved'
      ? setTimeout(there, 2) : done(performance.now() - start);
    setTimeout(there, 2);
  };
  window.addEventListener('pointerup', begin, { once: true, capture: true });
})"""


@dataclass
class Times:
    """Milliseconds: between frames of strokes, of scripts in each, from a gesture's end to its numbers."""

    frames: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)


def run(quick: bool) -> Report:
    """Stroke and click in images of growing size and number of spheroids, then mend wrong outlines."""
    report = Report("editor")
    scenes = (
        [("512²", 1), ("2048²", 500)] if quick else [(name, count) for name in SHAPES for count in COUNTS]
    )
    for size, count in scenes:
        times = _timed(_field(SHAPES[size], count), 3 if quick else 20)
        name = f"{size}, {count} spheroid{'s' if count > 1 else ''}"
        for what, values, bar in (
            ("between frames of a stroke", times.frames, FRAME_BAR_MS),
            ("scripts in a frame of a stroke", times.work, WORK_BAR_MS),
            ("a stroke's end until its numbers", times.numbers, NUMBERS_BAR_MS),
            ("a click until its numbers", times.clicks, CLICK_BAR_MS),
        ):
            median, p95 = median_p95(values)
            row = {"what": f"{name}: {what}", "n": len(values), "median": median, "p95": p95, "unit": "ms"}
            report.rows.append(row)
            report.bars.append(Bar(f"{name}: {what}, p95", p95, bar, "ms"))
    add_mending(report, 10 if quick else 100)
    return report


def _field(shape: tuple[int, int], count: int) -> Labels:
    """A label image (Y, X) with discs in rows."""
    labels = np.zeros(shape, np.int32)
    across = int(np.ceil(np.sqrt(count)))
    down = int(np.ceil(count / across))
    step_x, step_y = shape[1] / across, shape[0] / down
    radius = min(MOST_RADIUS, round(0.3 * min(step_x, step_y)))
    for number in range(count):
        x, y = (number % across + 0.5) * step_x, (number // across + 0.5) * step_y
        cv2.circle(labels, (round(x), round(y)), radius, number + 1, -1)
    return labels


def _timed(labels: Labels, rounds: int) -> Times:
    times = Times()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scene = made_scene(Path(folder), labels)
        os.environ["SPHEROSCOPE_DATA"] = folder
        with streamlit_server(ROOT / "app.py") as server, browser_tab() as tab:
            tab.page.add_init_script(WORK)
            opened(tab.page, scene, server)
            for turn in range(rounds):
                frames, work = _stroke(tab.page, labels, turn)
                times.frames += frames
                times.work += work
                times.numbers.append(_numbers(tab.page))
            _delete(tab.page, labels)  # so that each click has a spheroid to outline
            tab.page.keyboard.press("a")
            for _ in range(rounds):
                x, y = _middle(tab.page, labels)
                _listen(tab.page)
                tab.page.mouse.click(x, y)
                times.clicks.append(_numbers(tab.page))
                tab.page.keyboard.press("Control+z")
                saved(tab.page)
    return times


def _stroke(page: Page, labels: Labels, turn: int) -> tuple[list[float], list[float]]:
    """Paint outwards from an edge for about a second: milliseconds between frames, and of scripts in each."""
    own = labels == int(labels.max()) // 2 + 1
    rows, columns = np.nonzero(own)
    radius, angle = 0.9 * float(np.sqrt(own.sum() / np.pi)), 2.4 * turn  # each time another side of it
    across, down = float(np.cos(angle)), float(np.sin(angle))
    x, y = at(page, float(columns.mean()) + radius * across, float(rows.mean()) + radius * down)
    _listen(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    for step in range(120):  # at 120 Hz, where the machine keeps up
        out, aside = step * 0.4, 12 * float(np.sin(step / 9))
        page.mouse.move(x + out * across - aside * down, y + out * down + aside * across)
    frames, work = page.evaluate(STOP)
    page.mouse.up()
    return frames, work


def _delete(page: Page, labels: Labels) -> None:
    """Delete the spheroid whose number is in the middle."""
    page.get_by_role("button", name="Delete").click()
    page.mouse.click(*_middle(page, labels))
    saved(page)


def _middle(page: Page, labels: Labels) -> tuple[float, float]:
    """Where on the page the spheroid lies whose number is in the middle."""
    rows, columns = np.nonzero(labels == int(labels.max()) // 2 + 1)
    return at(page, float(columns.mean()), float(rows.mean()))


def _listen(page: Page) -> None:
    page.evaluate(
        f"() => {{ window.ms = undefined; ({UNTIL_NUMBERS})().then((ms) => {{ window.ms = ms; }}); }}"
    )


def _numbers(page: Page) -> float:
    """Milliseconds from the end of the last gesture until its numbers were there."""
    page.wait_for_function("() => window.ms !== undefined", timeout=60_000)
    ms = float(page.evaluate("() => window.ms"))
    saved(page)
    return ms
