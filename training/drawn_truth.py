"""Drawn images with known truth that no network is trained on: ladders, and demo plates of other seeds.

They are drawn anew: none is an image that ``bench robustness`` or ``bench demo`` shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.ladders import LADDERS, rung
from core.demo.plate import SEED, demo_scenes
from core.segmentation import SegmentationParams

Shown = tuple[NDArray[Any], NDArray[np.int32]]  # pixels and labels, (Y, X) each

FIRST = 1000  # number of a ladder's first scene
DEMO_EVERY = 5  # no multiple of the three days


def ladders(each: int) -> Iterator[tuple[str, SegmentationParams, Iterator[Shown]]]:
    """The name of each ladder, how its truth is outlined, and ``each`` scenes of every step."""
    for name, ladder in LADDERS.items():
        params = (
            SegmentationParams() if ladder.outline is None else SegmentationParams(outline=ladder.outline)
        )
        yield name, params, _climbed(name, each)


def demo(plates: int) -> Iterator[Shown]:
    """Every fifth image of so many plates."""
    for plate in range(1, plates + 1):
        for index, (_, drawn) in enumerate(demo_scenes(SEED + plate)):
            if index % DEMO_EVERY == plate % DEMO_EVERY:
                yield drawn.pixels, drawn.labels


def _climbed(name: str, each: int) -> Iterator[Shown]:
    for step in range(len(LADDERS[name].steps)):
        for number in range(each):
            made = rung(name, step, FIRST + number)
            yield made.pixels, made.labels
