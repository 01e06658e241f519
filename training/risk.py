"""Risk and coverage: how bad the outlines are that remain when the least trusted are put aside.

Risk is 1 - intersection over union, averaged over the share of outlines (the coverage) with the highest
confidence. The area under that curve is least when confidence sorts as the truth would (Geifman et al., ICLR
2019, arXiv:1805.08206).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Risk:
    """Confidence and overlap of outlines (N,), and what they say together.

    ``area``, ``random``, ``ideal``: areas under the risk-coverage curve, sorted by confidence, by chance and
    by the truth. ``calibration_error``: mean distance between confidence and overlap over tenths of the
    outlines, from the least to the most trusted.
    """

    confidence: Floats
    overlap: Floats
    area: float
    random: float
    ideal: float
    calibration_error: float

    def groups(self) -> list[NDArray[np.intp]]:
        """Places of the outlines in tenths, the most trusted first."""
        return groups(self.confidence)

    @property
    def gain(self) -> float:
        """Share of the way from chance to the ideal that confidence goes; 1 is perfect, 0 is chance."""
        room = self.random - self.ideal
        return (self.random - self.area) / room if room > 0 else 1.0

    def below(self, line: float) -> str:
        """What is marked when a confidence below ``line`` is."""
        marked, bad = self.confidence < line, self.overlap < 0.7
        worth = self.overlap[marked].mean() if marked.any() else math.nan
        return (
            f"below {line}: {np.count_nonzero(marked)} of {len(marked)}, mean IoU {worth:.3f} "
            f"(others {self.overlap[~marked].mean():.3f}), with {np.count_nonzero(marked & bad)} of the "
            f"{np.count_nonzero(bad)} below IoU 0.7"
        )

    def sentence(self) -> str:
        """The figures in words."""
        return (
            f"{len(self.overlap)} outlines, area under risk-coverage {self.area:.4f} "
            f"(chance {self.random:.4f}, ideal {self.ideal:.4f}, {100 * self.gain:.0f} % of the way), "
            f"calibration error {self.calibration_error:.3f}"
        )


def risk(confidence: Floats, overlap: Floats) -> Risk:
    """Judge confidences (N,) by the overlaps (N,) that they announced; N at least 1."""
    bad = 1 - overlap
    order = np.argsort(-confidence, kind="stable")
    apart = [abs(confidence[group].mean() - overlap[group].mean()) for group in groups(confidence)]
    return Risk(
        confidence,
        overlap,
        float(curve(bad[order]).mean()),
        float(bad.mean()),
        float(curve(np.sort(bad)).mean()),
        float(np.mean(apart)),
    )


def groups(confidence: Floats) -> list[NDArray[np.intp]]:
    """Places of outlines in BINS groups of a size, the most trusted first."""
    order = np.argsort(-confidence, kind="stable")
    return np.array_split(order, min(BINS, len(order)))


def curve(bad: Floats) -> Floats:
    """Mean risk of the first 1, 2, ... N outlines (N,)."""
    return np.asarray(np.cumsum(bad) / np.arange(1, len(bad) + 1))


def draw_curves(judged: Mapping[str, Risk], file: Path) -> None:
    """Draw risk by coverage, beside chance and the ideal, and below it overlap by confidence."""
    import matplotlib  # noqa: PLC0415  # takes a second, and only this needs it

    matplotlib.use("svg")
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(2, len(judged), figsize=(3.4 * len(judged), 6.2), squeeze=False)
    for column, (name, result) in enumerate(judged.items()):
        _draw_risk(axes[0][column], name, result)
        _draw_calibration(axes[1][column], result)
    for place in axes.flat:
        place.legend(frameon=False)
        place.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _draw_risk(place: Any, name: str, result: Risk) -> None:
    bad, n = 1 - result.overlap, len(result.overlap)
    coverage = np.arange(1, n + 1) / n
    place.plot(coverage, np.full(n, bad.mean()), color="#66757c", linestyle=":", label="chance")
    place.plot(coverage, curve(bad[np.argsort(-result.confidence)]), color="#0f6e84", label="confidence")
    place.plot(coverage, curve(np.sort(bad)), color="#2e7d4f", linestyle="--", label="ideal")
    place.set(title=f"{name} (n = {n})", xlabel="coverage", ylabel="mean 1 − IoU", xlim=(0, 1), ylim=0)


def _draw_calibration(place: Any, result: Risk) -> None:
    means = [(result.confidence[group].mean(), result.overlap[group].mean()) for group in result.groups()]
    place.plot([0, 1], [0, 1], color="#66757c", linestyle=":", label="as it should be")
    place.plot(*zip(*means, strict=True), color="#0f6e84", marker="o", label="tenths of the outlines")
    place.set(xlabel="confidence", ylabel="mean IoU", xlim=(0, 1), ylim=(0, 1))
