"""How well predicted labels match true ones; distances in native pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

Labels = NDArray[np.int32]

MATCH = 0.5  # intersection over union from which two objects are the same
PARTS = 5  # a single label in more parts than this is a mask of foreground, not of objects


@dataclass(frozen=True, slots=True)
class Score:
    """One image. ``diameter_errors``: shares, of the objects that were matched.

    ``boundary_px``: None where one of the two has no outline.
    """

    iou: float
    matched: int
    predicted: int
    true: int
    diameter_errors: tuple[float, ...]
    boundary_px: float | None
    is_semantic: bool


def score(predicted: Labels, true: Labels) -> Score:
    """Compare two label images (Y, X)."""
    inside, truth = predicted > 0, true > 0
    union = np.count_nonzero(inside | truth)
    iou = np.count_nonzero(inside & truth) / union if union else 1.0
    matches = _matches(predicted, true)
    errors = tuple(abs(np.sqrt(found / real) - 1) for found, real in matches)
    counts = (len(np.unique(predicted[inside])), len(np.unique(true[truth])))
    return Score(iou, len(matches), *counts, errors, _boundary(inside, truth), is_foreground(true))


def is_foreground(labels: Labels) -> bool:
    """Whether a mask counts everything that is cell, not bodies: one number, in many parts."""
    parts = cv2.connectedComponents((labels > 0).astype(np.uint8))[0] - 1
    return parts > PARTS and len(np.unique(labels[labels > 0])) == 1


def summary(name: str, scores: Sequence[Score]) -> dict[str, object]:
    """A set's row: means over images, F1 and the median diameter error over all objects.

    ``f1`` is None for masks of foreground; ``boundary_px`` is the median over images of the mean distance
    between the outlines, both ways.
    """
    ious = np.array([item.iou for item in scores])
    errors = [error for item in scores for error in item.diameter_errors]
    distances = [item.boundary_px for item in scores if item.boundary_px is not None]
    both = sum(item.predicted + item.true for item in scores)
    matched = sum(item.matched for item in scores)
    semantic = any(item.is_semantic for item in scores)
    return {
        "set": name,
        "n": len(scores),
        "iou_mean": float(ious.mean()),
        "iou_median": float(np.median(ious)),
        "f1": None if semantic else 2 * matched / both if both else 1.0,
        "diameter_error_pct": 100 * float(np.median(errors)) if errors else None,
        "boundary_px": float(np.median(distances)) if distances else None,
        "share_below_0_7": float(np.mean(ious < 0.7)),
    }


def overlaps(predicted: Labels, true: Labels) -> list[float]:
    """For each object 1..N its intersection over union with the true object that it shares most with."""
    n, areas_true = int(predicted.max(initial=0)), np.bincount(true.ravel())
    areas = np.bincount(predicted.ravel(), minlength=n + 1)
    best = np.zeros(n + 1)
    for found, real, overlap in _shared(predicted, true):
        best[found] = max(best[found], overlap / (areas[found] + areas_true[real] - overlap))
    return best[1:].tolist()


def _shared(predicted: Labels, true: Labels) -> list[tuple[int, int, int]]:
    """Numbers of each pair of objects that share pixels, and how many."""
    both = (predicted > 0) & (true > 0)
    n = int(true.max(initial=0)) + 1
    keys, counts = np.unique(predicted[both].astype(np.int64) * n + true[both], return_counts=True)
    return [(key // n, key % n, count) for key, count in zip(keys.tolist(), counts.tolist(), strict=True)]


def _matches(predicted: Labels, true: Labels) -> list[tuple[int, int]]:
    """Areas (predicted, true) of the pairs that overlap by MATCH or more; above a half, pairs are unique."""
    areas_found, areas_true = np.bincount(predicted.ravel()), np.bincount(true.ravel())
    pairs = []
    for first, second, overlap in _shared(predicted, true):
        found, real = int(areas_found[first]), int(areas_true[second])
        if overlap / (found + real - overlap) > MATCH:
            pairs.append((found, real))
    return pairs


def _boundary(inside: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float | None:
    """Mean distance in pixels from each outline to the nearest point of the other."""
    lines = [find_boundaries(mask, mode="inner") for mask in (inside, truth)]
    if not (lines[0].any() and lines[1].any()):
        return None
    far = [cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 5) for line in lines]
    return float(np.concatenate([far[1][lines[0]], far[0][lines[1]]]).mean())
