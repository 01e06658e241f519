"""How far two people agree: outlines that one has judged against those that another drew without seeing them.

Two outlines are of one spheroid where they overlap by more than half (IoU > 0.5): then none has two partners.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.corrections.accuracy import DRAWS, MIN_IMAGES, Estimate, wilson
from core.corrections.regions import Region, iou

SAME = 0.5  # overlap above which two outlines are of one spheroid


@dataclass(frozen=True, slots=True)
class Matches:
    """Two sets of outlines of one image, compared.

    ``n_either`` spheroids are in one or both. ``ious`` and ``diameter_changes`` (of the second against the
    first, as a share; diameter of the circle of the same area) have a value for each that is in both.
    """

    n_either: int
    ious: tuple[float, ...]
    diameter_changes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two sets of outlines agree on ``n`` images that were drawn a second time.

    ``both``: share of their spheroids that both have. ``iou`` and ``diameter_change``: medians over those.
    """

    n: int
    both: Estimate
    iou: Estimate
    diameter_change: Estimate


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What drawings without outlines say: ``people`` compares them with what another person had judged.

    ``engine`` compares the engine's own outlines with the same drawings. Only images drawn at random count
    where there are MIN_IMAGES of them (``at_random``); else all do.
    """

    people: Agreement
    engine: Agreement
    at_random: bool


@dataclass(frozen=True, slots=True)
class SecondOpinionFigures:
    """Drawings by another person, and those of which it is not known whether another person made them."""

    another: Ceiling
    unknown: Ceiling


def matched(first: Mapping[int, Region], second: Mapping[int, Region]) -> Matches:
    """Compare two sets of outlines of one image."""
    pairs = [
        (one, other, overlap)
        for one in first.values()
        for other in second.values()
        if (overlap := iou(one, other)) > SAME
    ]
    return Matches(
        len(first) + len(second) - len(pairs),
        tuple(overlap for _, _, overlap in pairs),
        tuple(math.sqrt(other.area / one.area) - 1 for one, other, _ in pairs),
    )


def figures(rows: Iterable[Mapping[str, Any]]) -> SecondOpinionFigures:
    """Estimate from rows of the statement second_opinions.figures."""
    rows = list(rows)
    return SecondOpinionFigures(
        ceiling([row for row in rows if not row["same_person"]]),
        ceiling([row for row in rows if row["same_person"]]),
    )


def ceiling(rows: Sequence[Mapping[str, Any]]) -> Ceiling:
    """Estimate from rows of drawings, those at random alone where there are enough."""
    drawn = [row for row in rows if row["at_random"]]
    at_random = len({row["image_id"] for row in drawn}) >= MIN_IMAGES
    used = drawn if at_random else rows
    people = [(row["image_id"], _matches(row, "")) for row in used]
    engine = [(row["image_id"], _matches(row, "engine_")) for row in used if row["engine_ious"] is not None]
    return Ceiling(_agreement(people), _agreement(engine), at_random)


def _matches(row: Mapping[str, Any], prefix: str) -> Matches:
    lists = (tuple(row[f"{prefix}{name}"]) for name in ("ious", "diameter_changes"))
    return Matches(row[f"{prefix}n_either"], *lists)


def _agreement(compared: Sequence[tuple[str, Matches]]) -> Agreement:
    """Estimate from images; one that two people have drawn counts once, with the spheroids of both."""
    images: dict[str, list[Matches]] = {}
    for image_id, matches in compared:
        images.setdefault(image_id, []).append(matches)
    groups = list(images.values())
    n_both = sum(len(item.ious) for group in groups for item in group)
    n_either = sum(item.n_either for group in groups for item in group)
    both = wilson(n_both, n_either)
    return Agreement(
        len(groups),
        both if len(groups) >= MIN_IMAGES else Estimate(both.value),
        median_of_groups([[value for item in group for value in item.ious] for group in groups]),
        median_of_groups([[value for item in group for value in item.diameter_changes] for group in groups]),
    )


def median_of_groups(groups: Sequence[Sequence[float]]) -> Estimate:
    """The median of all values with a percentile bootstrap interval that draws whole groups.

    Spheroids of one image are drawn by the same hand in the same light: they are not so many independent
    values. The same values give the same interval; under MIN_IMAGES groups with a value there is none.
    """
    filled = [np.asarray(group, np.float64) for group in groups if len(group)]
    if not filled:
        return Estimate(None)
    value = float(np.median(np.concatenate(filled)))
    if len(filled) < MIN_IMAGES:
        return Estimate(value)
    places = np.random.default_rng(0).choice(len(filled), (DRAWS, len(filled)))
    medians = [float(np.median(np.concatenate([filled[place] for place in draw]))) for draw in places]
    low, high = np.quantile(medians, (0.025, 0.975))
    return Estimate(value, float(low), float(high))
