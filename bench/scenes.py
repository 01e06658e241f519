"""The images that benchmarks run on: made here, the same every time."""

from __future__ import annotations

import cv2
import numpy as np

from core.demo.synthetic import BodySpec, Scene, SceneSpec, scene


def spheroids(side_px: int, count: int, seed: int = 1) -> Scene:
    """A brightfield scene, ``side_px`` square, of ``count`` spheroids that do not touch."""
    per_row = int(np.ceil(np.sqrt(count)))
    step = side_px / per_row
    bodies = tuple(
        BodySpec(((index % per_row + 0.5) * step, (index // per_row + 0.5) * step), diameter_px=0.55 * step)
        for index in range(count)
    )
    return scene(np.random.default_rng(seed), SceneSpec(bodies, (side_px, side_px)))


def png(made: Scene) -> bytes:
    """The scene as a 16-bit PNG file."""
    return bytes(cv2.imencode(".png", made.pixels)[1])
