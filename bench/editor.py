"""The editor: frames while a stroke is drawn, time until the new numbers, and a simulated hand.

Frames and numbers are taken in headless Chromium, with the whole app behind it. Frames come at most 60 times
a second, 16.7 ms apart. The hand is arithmetic: it moves 400 screen pixels a second and takes half a second
to begin a gesture. It follows the true edge past the largest part that is wrong, or, to draw anew, all of it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page
from scipy import ndimage

from bench.report import Bar, Report, median_p95
from core.corrections import Region, tools
from core.corrections.regions import iou
from tests.browser.chromium import ROOT, browser_tab, streamlit_server
from tests.browser.editing import Labels, at, made_scene, opened, saved

FRAME_BAR_MS, NUMBERS_BAR_MS, HAND_BAR_S = 17.0, 150.0, 5.0
PX_PER_S, BEGIN_S, GOAL, MOST_GESTURES = 400.0, 0.5, 0.95, 12
FRAMES = """() => {
  window.frames_ms = [];
  let last = performance.now();
  const frame = (now) => {
    window.frames_ms.push(now - last);
    last = now;
    window.going = requestAnimationFrame(frame);
  };
  window.going = requestAnimationFrame(frame);
}"""
STOP = "() => { cancelAnimationFrame(window.going); return window.frames_ms.slice(2); }"
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
  window.ready = true;
})"""
Mask = NDArray[np.bool_]


def run(quick: bool) -> Report:
    """Stroke in images of growing size and number of spheroids, then mend outlines that were spoilt."""
    report = Report("editor")
    scenes = [(512, 1), (2048, 500)] if quick else [(512, 1), (512, 50), (2048, 1), (2048, 50), (2048, 500)]
    for side, count in scenes:
        frames, numbers = _strokes(_field(side, count), 3 if quick else 20)
        name = f"{side}², {count} spheroids"
        _, frame_p95 = median_p95(frames)
        median, p95 = median_p95(numbers)
        report.rows.append(
            {"what": name, "frame_p95_ms": frame_p95, "numbers_median_ms": median, "numbers_p95_ms": p95}
        )
        report.bars.append(Bar(f"{name}: between frames of a stroke, p95", frame_p95, FRAME_BAR_MS, "ms"))
        report.bars.append(Bar(f"{name}: until the numbers, p95", p95, NUMBERS_BAR_MS, "ms"))
    _add_hand(report, 10 if quick else 100)
    return report


def _field(side: int, count: int) -> Labels:
    """A label image with discs in rows."""
    labels = np.zeros((side, side), np.int32)
    across = int(np.ceil(np.sqrt(count)))
    step = side / across
    for number in range(count):
        x, y = (number % across + 0.5) * step, (number // across + 0.5) * step
        cv2.circle(labels, (round(x), round(y)), round(step * 0.3), number + 1, -1)
    return labels


def _strokes(labels: Labels, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds between frames of strokes, and from the end of each until its numbers are there."""
    frames: list[float] = []
    numbers: list[float] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        scene = made_scene(Path(folder), labels)
        os.environ["SPHEROSCOPE_DATA"] = folder
        with streamlit_server(ROOT / "app.py") as server, browser_tab() as tab:
            opened(tab.page, scene, server)
            for turn in range(rounds):
                frames += _stroke(tab.page, labels, turn)
                numbers.append(float(tab.page.evaluate("() => window.until_numbers")))
                saved(tab.page)
    return frames, numbers


def _stroke(page: Page, labels: Labels, turn: int) -> list[float]:
    number = int(labels.max()) // 2 + 1
    rows, columns = np.nonzero(labels == number)
    x, y = at(page, float(columns.mean()), float(rows.mean()))
    page.evaluate(f"() => {{ ({UNTIL_NUMBERS})().then((ms) => {{ window.until_numbers = ms; }}); }}")
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    for step in range(120):  # a second at 120 Hz, where the machine keeps up
        page.mouse.move(x + step * 0.4, y + 12 * np.sin(step / 9 + turn))
    frames: list[float] = page.evaluate(STOP)
    page.mouse.up()
    page.wait_for_function("() => window.until_numbers !== undefined", timeout=30_000)
    return frames


def _add_hand(report: Report, count: int) -> None:
    """Mend outlines of IoU 0.70 to 0.85 with brush and eraser, against drawing them anew."""
    seconds, gestures, anew = [], [], []
    for seed in range(count):
        truth, spoilt = _spoilt(np.random.default_rng(seed))
        used, worked = _mended(spoilt, truth)
        seconds.append(worked)
        gestures.append(used)
        anew.append(_drawn_anew(truth))
    times = statistics.median(anew) / statistics.median(seconds)
    row: dict[str, Any] = {"what": f"hand, {count} outlines", "seconds_median": statistics.median(seconds)}
    row |= {"gestures_median": statistics.median(gestures), "anew_seconds_median": statistics.median(anew)}
    report.rows.append(row)
    report.bars.append(Bar("hand: median to IoU 0.95", row["seconds_median"], HAND_BAR_S, "s"))
    report.bars.append(Bar("hand: median gestures", row["gestures_median"], 3, "gestures"))
    report.bars.append(Bar("hand: faster than drawing anew", times, 3, "times", at_most=False))


def _spoilt(rng: np.random.Generator) -> tuple[Mask, Mask]:
    """A blob 400 pixels across, and an outline of it with IoU 0.70 to 0.85: a bay, a bulge, or both."""
    rows, columns = np.indices((600, 600))
    angle, away = np.arctan2(rows - 300, columns - 300), np.hypot(rows - 300, columns - 300)
    waves = sum(rng.normal(0, 6) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in range(2, 6))
    truth = away < 200 + waves
    while True:
        shift = np.zeros_like(away)
        for _ in range(int(rng.integers(1, 3))):
            apart = np.angle(np.exp(1j * (angle - rng.uniform(0, 6.3))))
            shift += (
                rng.choice([-1, 1]) * rng.uniform(40, 130) * np.exp(-((apart / rng.uniform(0.3, 0.9)) ** 2))
            )
        outline = away < 200 + waves + shift
        if 0.70 <= (truth & outline).sum() / (truth | outline).sum() <= 0.85:
            return truth, outline


def _mended(outline: Mask, truth: Mask) -> tuple[int, float]:
    """Gestures and seconds until the outline has the IoU that is the goal."""
    goal, region = Region.of(truth), Region.of(outline)
    worked = 0.0
    for used in range(MOST_GESTURES):
        if region is None or iou(region, goal) >= GOAL:
            return used, worked
        mask = np.zeros(truth.shape, np.bool_)
        mask[region.box] = region.mask
        parts, count = ndimage.label(mask ^ truth)
        sizes = ndimage.sum_labels(np.ones_like(parts), parts, range(1, count + 1))
        wrong = parts == int(np.argmax(sizes)) + 1
        missing = bool((wrong & truth).any())
        points, radius = _path(wrong, truth, missing)
        made = (
            tools.brush({1: region}, 1, points, radius, truth.shape)
            if missing
            else tools.erase({1: region}, [1], points, radius, truth.shape)
        )
        region = made[0].region if made else region
        worked += BEGIN_S + _length(points) / PX_PER_S
    return MOST_GESTURES, worked


def _path(wrong: Mask, truth: Mask, missing: bool) -> tuple[list[tuple[float, float]], float]:
    """A line along the true edge past a part that is wrong, and the radius of the brush that it takes.

    The brush moves inside the edge and touches it; the eraser moves outside.
    """
    radius = float(ndimage.distance_transform_edt(wrong).max()) * 1.1 + 2
    rows, columns = np.nonzero(wrong)
    angle = np.angle(np.exp(1j * np.arctan2(rows - 300, columns - 300)))
    middle = float(np.angle(np.exp(1j * angle).mean()))
    apart = np.angle(np.exp(1j * (angle - middle)))
    (ring,), _ = cv2.findContours(truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    x, y = ring[:, 0, 0] - 300.0, ring[:, 0, 1] - 300.0
    of_edge = np.angle(np.exp(1j * (np.arctan2(y, x) - middle)))
    points = []
    for turn in np.linspace(apart.min(), apart.max(), 16):
        nearest = int(np.argmin(np.abs(of_edge - turn)))
        away = float(np.hypot(x[nearest], y[nearest])) + (-radius if missing else radius)
        points.append((300.5 + away * np.cos(middle + turn), 300.5 + away * np.sin(middle + turn)))
    return points, radius


def _drawn_anew(truth: Mask) -> float:
    """Seconds to delete an outline and follow the right one."""
    (ring,), _ = cv2.findContours(truth.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return 2 * BEGIN_S + float(cv2.arcLength(ring, True)) / PX_PER_S


def _length(points: list[tuple[float, float]]) -> float:
    line = np.array(points)
    return float(np.hypot(*np.diff(line, axis=0).T).sum()) if len(points) > 1 else 0.0
