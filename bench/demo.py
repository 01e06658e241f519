"""Outlines of the demo plate against what was drawn: wells with a wrong count or a wrong diameter."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bench.report import Bar, Report
from core.demo.plate import UM_PER_PX, DemoTruth, demo_plate, manifest
from core.segmentation import DEFAULT_ENGINE, Engine, EngineRegistry, SegmentationParams, segment
from core.segmentation.confidence import doubtful

QUICK_EVERY = 7  # no multiple of the three days, so that all of them occur
MAX_ERROR = 0.1  # of a diameter
BARS = {"wrong": 6, "unflagged": 0, "error": 1.5}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One image: ``errors`` are shares of the true diameters, empty where the count is wrong."""

    truth: DemoTruth
    found: int
    errors: tuple[float, ...]
    is_flagged: bool

    @property
    def is_wrong(self) -> bool:
        """Whether the count is wrong or any diameter is by over a tenth."""
        return self.found != len(self.truth.diameters_um) or any(error > MAX_ERROR for error in self.errors)


def run(quick: bool) -> Report:
    """Outline every image of the plate, or every seventh, with each engine."""
    report = Report("demo")
    every, engines = QUICK_EVERY if quick else 1, EngineRegistry.shipped()
    for engine in engines.names:
        outcomes = outlined(engines.get(engine), every)
        wrong = [item for item in outcomes if item.is_wrong]
        unflagged = [item for item in wrong if not item.is_flagged]
        errors = [error for item in outcomes for error in item.errors]
        report.rows.append(
            {
                "engine": engine,
                "images": len(outcomes),
                "wrong": len(wrong),
                "wrong, not flagged": len(unflagged),
                "flagged": sum(item.is_flagged for item in outcomes),
                "median diameter error %": 100 * statistics.median(errors),
                "which": ", ".join(_named(item) for item in wrong),
            }
        )
        if engine == DEFAULT_ENGINE:
            report.bars += [
                Bar(f"{engine}, wrong images", len(wrong), BARS["wrong"], "images"),
                Bar(f"{engine}, wrong and not flagged", len(unflagged), BARS["unflagged"], "images"),
                Bar(f"{engine}, diameter error", 100 * statistics.median(errors), BARS["error"], "%"),
            ]
    return report


def outlined(engine: Engine, every: int = 1) -> Sequence[Outcome]:
    """Every ``every``-th image of the plate, outlined with the default parameters."""
    done = []
    for index, (truth, file) in enumerate(zip(manifest(), demo_plate(), strict=True)):
        if index % every:
            continue
        pixels = cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_UNCHANGED)
        made = segment(pixels, SegmentationParams(), engine)
        diameters = [
            float(item.measurements["equivalent_diameter"] or 0) * UM_PER_PX for item in made.spheroids
        ]
        done.append(Outcome(truth, len(diameters), _errors(diameters, truth), doubtful(made.confidence)))
    return done


def _errors(diameters_um: Sequence[float], truth: DemoTruth) -> tuple[float, ...]:
    """Of each diameter, both ordered by size."""
    if len(diameters_um) != len(truth.diameters_um):
        return ()
    both = zip(sorted(diameters_um, reverse=True), truth.diameters_um, strict=True)
    return tuple(abs(one / other - 1) for one, other in both)


def _named(item: Outcome) -> str:
    """Its well and day, what is wrong, and an exclamation mark where nobody is told to look at it."""
    true = len(item.truth.diameters_um)
    what = f"{100 * max(item.errors):.0f} %" if item.errors else f"{item.found} for {true}"
    return f"{item.truth.name.removesuffix('.tif')} {what}{'' if item.is_flagged else '!'}"
