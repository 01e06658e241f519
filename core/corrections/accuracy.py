"""How good the outlines are here, from images drawn at random: shares and medians with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MIN_IMAGES = 5  # reviewed images; of fewer no interval is given
_Z = 1.959964  # 95 %
DRAWS = 2000  # of the bootstrap


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, both None where there is too little to tell."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good ``n`` automatic results were that were drawn at random and looked at.

    ``right``: share that was right as it was. ``iou``: median overlap of automatic and corrected outlines.
    ``diameter_change``: median change of the largest diameter, as a share of the automatic one. Results that
    were right count as 1 and 0.
    """

    n: int
    right: Estimate
    iou: Estimate
    diameter_change: Estimate


def accuracy(rows: Sequence[Mapping[str, Any]]) -> Accuracy:
    """Estimate from rows with ``state``, ``parent_iou``, ``before_px`` and ``after_px``."""
    right = sum(row["state"] == "right" for row in rows)
    overlaps = [1.0 if row["state"] == "right" else row["parent_iou"] for row in rows]
    changes = [0.0 if row["state"] == "right" else _change(row["before_px"], row["after_px"]) for row in rows]
    return Accuracy(
        len(rows),
        wilson(right, len(rows)),
        median([value for value in overlaps if value is not None]),
        median([value for value in changes if value is not None]),
    )


def by_group(rows: Iterable[Mapping[str, Any]]) -> dict[str, Accuracy]:
    """Estimate from rows of the statement reviews.judged: under "all", and under each engine and week.

    ``engine`` is None of a result that is gone; it counts in "all" and in its week.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {"all": []}
    for row in rows:
        year, week, _ = row["reviewed_at"].isocalendar()
        names = ["all", f"week {year}-W{week:02d}"]
        if row["engine"] is not None:
            names.append(f"engine {row['engine']} {row['engine_version']}")
        for group in names:
            groups.setdefault(group, []).append(row)
    return {name: accuracy(group_rows) for name, group_rows in groups.items()}


def wilson(successes: int, n: int) -> Estimate:
    """A share with Wilson's score interval (Wilson 1927)."""
    if n == 0:
        return Estimate(None)
    share = successes / n
    if n < MIN_IMAGES:
        return Estimate(share)
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def median(values: Sequence[float]) -> Estimate:
    """A median with a percentile bootstrap interval; the same values give the same interval."""
    if not values:
        return Estimate(None)
    array = np.asarray(values, np.float64)
    if len(array) < MIN_IMAGES:
        return Estimate(float(np.median(array)))
    drawn = np.random.default_rng(0).choice(array, (DRAWS, len(array)))
    low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
    return Estimate(float(np.median(array)), float(low), float(high))


def _change(before_px: float | None, after_px: float | None) -> float | None:
    return None if not before_px or after_px is None else (after_px - before_px) / before_px
