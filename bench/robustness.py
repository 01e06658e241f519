"""How far outlines hold as one thing after another gets harder: drawn scenes in ladders, a curve a ladder.

Beside the network stand ``classical`` and what version 0.1 made of the same scenes, which was written down.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.ladders import LADDERS, rung, scenes
from bench.report import Bar, Cell, Report
from core.models import Segmentation
from core.segmentation import Engine, EngineRegistry, SegmentationParams, segment
from core.segmentation.confidence import doubtful
from core.segmentation.engines.contrast import readings
from core.segmentation.engines.unet import most_certain, normalise, working_copy
from core.segmentation.engines.weights import load
from training.scores import score

VERSION_0_1 = Path(__file__).with_name("ladders") / "version_0_1.json"
SCENES, QUICK_SCENES = 12, 2  # a rung
POLARITY_SCENES, QUICK_POLARITY_SCENES = 500, 10  # each is asked as it is and inverted
VIEW_PX = 512
FIGURES = ("iou", "found", "falsely", "flagged", "poor", "poor, flagged")

# Of a ladder: the least mean IoU of ``unet`` up to a step, that one counted in.
BARS: dict[str, tuple[float, float]] = {
    "focus": (0.9, 0.06),
    "field share": (0.93, 0.85),
    "corona": (0.93, 0.5),
    "halo, core": (0.92, 0.85),
    "halo, whole": (0.9, 0.3),
    "well": (0.85, 0.9),
    "meniscus": (0.85, 3.0),
}
MAX_FALSE = 0.03  # of empty fields
POOR = 0.7  # intersection over union below which somebody should look at an image
POOR_FLAGGED, FLAGGED = 0.8, 0.2  # the least share of poor images that are flagged, the most of all


def run(quick: bool) -> Report:
    """Climb every ladder with every engine."""
    report = Report("robustness")
    count, engines = QUICK_SCENES if quick else SCENES, EngineRegistry.shipped()
    earlier = _earlier()
    for name, ladder in LADDERS.items():
        for step, value in enumerate(ladder.steps):
            for engine in engines.names:
                figures = climb(name, step, engines.get(engine), range(count))
                report.rows.append({"ladder": name, "step": value, "engine": engine, **figures})
            if (name, value) in earlier:
                report.rows.append(earlier[name, value])
    scenes = QUICK_POLARITY_SCENES if quick else POLARITY_SCENES
    wrong = wrong_polarities(range(scenes))
    report.bars.append(Bar(f"polarity wrong, of {2 * scenes}", wrong, 0, "images"))
    report.bars += _bars(report.rows)
    return report


def climb(name: str, step: int, engine: Engine, numbers: Sequence[int]) -> dict[str, Cell]:
    """One engine on some scenes of one step of a ladder.

    Returns:
        Means over the scenes of ``iou``, ``found`` (true bodies that are outlined), ``falsely`` (images with
        an outline that is no body), ``flagged`` (images marked "look at this"), ``poor`` (images whose
        outlines are poor) and ``poor, flagged`` (images that are both).
    """
    policy = LADDERS[name].outline
    params = SegmentationParams() if policy is None else SegmentationParams(outline=policy)
    rows = []
    for number in numbers:
        made = rung(name, step, number)
        rows.append(_judged(segment(made.pixels, params, engine), made))
    means = np.array(rows, np.float64).mean(axis=0)
    return dict(zip(FIGURES, map(float, means), strict=True))


def wrong_polarities(numbers: Sequence[int]) -> int:
    """How many images of dark bodies, or of their inversions, are taken for the other."""
    network, wrong = load(), 0
    for number in numbers:
        rng = np.random.default_rng((7, number))
        share = float(np.exp(rng.uniform(np.log(0.01), np.log(0.85))))
        image = normalise(working_copy(scenes.field_share(rng, share).pixels, VIEW_PX))
        for way in (image, -image):
            reading, _ = most_certain(network, readings(way))
            wrong += reading.dark != (way is image)
    return wrong


def _judged(made: Segmentation, truth: scenes.Rung) -> tuple[float, ...]:
    """The ``FIGURES`` of one image."""
    one = score(made.labels, truth.labels)
    matched_share = one.matched / one.true if one.true else 1.0
    is_flagged, is_poor = doubtful(made.confidence), one.iou < POOR
    return one.iou, matched_share, one.predicted > one.matched, is_flagged, is_poor, is_poor and is_flagged


def _bars(rows: Sequence[dict[str, Cell]]) -> list[Bar]:
    bars = []
    ours = [row for row in rows if row["engine"] == "unet"]
    for name, (least, last) in BARS.items():
        steps = LADDERS[name].steps
        counted = steps[: steps.index(last) + 1]
        worst = min(
            float(row["iou"] or 0) for row in ours if row["ladder"] == name and row["step"] in counted
        )
        bars.append(Bar(f"{name}, worst step's mean IoU", worst, least, "", at_most=False))
    empty = [float(row["falsely"] or 0) for row in ours if row["ladder"] == "debris"]
    bars.append(Bar("empty fields with a false outline", float(np.mean(empty)), MAX_FALSE, ""))
    flagged, poor, both = (
        float(np.mean([float(row[name] or 0) for row in ours]))
        for name in ("flagged", "poor", "poor, flagged")
    )
    share = both / poor if poor else 1.0
    bars.append(Bar(f"of images below IoU {POOR}, flagged", share, POOR_FLAGGED, "", at_most=False))
    bars.append(Bar("of all images, flagged", flagged, FLAGGED, ""))
    return bars


def _earlier() -> dict[tuple[str, float], dict[str, Cell]]:
    """Rows of version 0.1, by ladder and step; None for figures that were not written down then."""
    if not VERSION_0_1.exists():
        return {}
    rows = json.loads(VERSION_0_1.read_text(encoding="utf-8"))
    return {(row["ladder"], row["step"]): dict.fromkeys(FIGURES) | row for row in rows}
