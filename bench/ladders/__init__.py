"""Drawn scenes with known truth, in ladders: on each, one thing gets harder from rung to rung.

The generator shares nothing with the one that trains, neither shapes nor optics; else a network would be
asked for what it was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bench.ladders import scenes
from bench.ladders.scenes import Rung


@dataclass(frozen=True, slots=True)
class Ladder:
    """``steps``: of what varies, the easiest first; ``outline``: the policy that its truth follows."""

    draw: Callable[[np.random.Generator, float], Rung]
    varies: str
    steps: tuple[float, ...]
    outline: str | None = None


LADDERS: Mapping[str, Ladder] = {
    "focus": Ladder(scenes.focus, "sigma / diameter", (0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1)),
    "field share": Ladder(scenes.field_share, "share", (0.01, 0.02, 0.05, 0.15, 0.35, 0.5, 0.7, 0.85)),
    "corona": Ladder(scenes.corona, "reach / field", (0.05, 0.1, 0.2, 0.35, 0.5)),
    "halo, core": Ladder(scenes.halo, "density / core's", (0.3, 0.45, 0.6, 0.75, 0.85), "core"),
    "halo, whole": Ladder(scenes.halo_whole, "density / core's", (0.85, 0.75, 0.6, 0.45, 0.3), "whole"),
    "well": Ladder(scenes.well, "body / lumen", (0.5, 0.35, 0.2, 0.1, 0.7, 0.9)),
    "meniscus": Ladder(scenes.meniscus, "strength", (0.3, 0.7, 1.5, 3.0)),
    "gradient": Ladder(scenes.gradient, "change", (0, 0.3, 0.6, 0.9, 1.3)),
    "noise": Ladder(scenes.noise, "contrast / noise", (20, 10, 5, 3, 2)),
    "bits": Ladder(scenes.bits, "bits", (16, 14, 12, 10, 8)),
    "pale": Ladder(scenes.pale, "strength", (1.0, 0.5, 0.3, 0.15, 0.05)),
    "crowded": Ladder(scenes.crowded, "bodies", (2, 5, 15, 40, 100)),
    "debris": Ladder(scenes.debris, "specks", (0, 10, 40, 100, 300)),
    "printed": Ladder(scenes.printed, "bar / field", (0.1, 0.2, 0.3, 0.4)),
}


def rung(name: str, step: int, number: int) -> Rung:
    """The ``number``-th scene of one step of a ladder; always the same."""
    ladder = LADDERS[name]
    rng = np.random.default_rng([*name.encode(), step, number])
    return ladder.draw(rng, ladder.steps[step])
