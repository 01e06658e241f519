"""Cells that grow out of a body into the gel around it: dense at its outline, single ones further out."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.noise import smooth

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Rim:
    """``cells``: float32 (Y, X), 0 where there are none, about 1 on one.

    ``labels``: int32 (Y, X), bodies with the cells that connect to them; cells that lie alone are nobody's.
    """

    cells: Floats
    labels: Labels


def grow(rng: np.random.Generator, dense: Labels) -> Rim:
    """Let cells grow out of the bodies of ``dense`` (Y, X): rings, fingers or a loose cloud."""
    shape = (dense.shape[0], dense.shape[1])
    away, number = nearest(dense)
    reach = rng.uniform(0.1, 0.6) * np.sqrt(np.count_nonzero(dense) / np.pi) + 4
    fingers = np.clip(1 + rng.uniform(0, 1.2) * smooth(rng, shape, rng.uniform(10, 60)), 0.15, 2.5)
    field = smooth(rng, shape, rng.uniform(2.5, 7)) / 0.7
    share = away / (reach * fingers)  # 0 at the outline, 1 where cells have become few
    there = (away > 0) & (field > rng.uniform(-1.2, 0.0) + 2.2 * share)
    grain = np.clip(0.8 + 0.35 * smooth(rng, shape, 3), 0.2, 1.5)
    labels = np.where(there & _connected(there | (dense > 0), dense > 0), number, dense)
    return Rim((there * grain).astype(np.float32), labels.astype(np.int32))


def nearest(dense: Labels) -> tuple[Floats, Labels]:
    """Distance to the nearest body in pixels, and its number."""
    away, zone = cv2.distanceTransformWithLabels(
        (dense == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(int(zone.max()) + 1, np.int32)
    number[zone[dense > 0]] = dense[dense > 0]
    return away, number[zone]


def _connected(mask: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What of ``mask`` hangs together with a seed."""
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    hit = np.zeros(count, np.bool_)
    hit[parts[seeds]] = True
    hit[0] = False
    return hit[parts]
