"""Outlines that are wrong as an engine's are, and the click that says where: what clicks are learnt from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.demo.synthetic.noise import smooth

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Point = tuple[float, float]

# share of outlines of each kind; what cannot be made is made another way
KINDS = {"none": 0.25, "threshold": 0.25, "edge": 0.22, "size": 0.1, "neighbour": 0.1, "cut": 0.08}
JITTER = 0.25  # of a click, SD in the depth of the part that is clicked
LARGEST = 0.8  # share of clicks on the largest part that is wrong; the others are on any
INSIDE = 0.06  # share of clicks on what is right already: outline it better


def spoil(rng: np.random.Generator, truth: Mask, neighbours: Mask, contrast: Floats) -> Mask:
    """A wrong outline of a spheroid, bool (Y, X).

    Args:
        truth: its pixels; ``neighbours``: those of others.
        contrast: how far each pixel lies from the background, 0.5 at Otsu's threshold.
    """
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "none":
        return np.zeros_like(truth)
    if kind == "threshold":
        outline = _thresholded(rng, truth, contrast)
    elif kind == "neighbour":
        outline = _with_neighbour(rng, truth, neighbours)
    elif kind == "cut":
        outline = _cut(rng, truth)
    else:
        outline = _moved_edge(rng, truth, kind == "edge")
    return outline


def blob(rng: np.random.Generator, free: Mask) -> Mask:
    """An outline around nothing: a spot of random shape on free ground; empty where there is none."""
    rows, columns = np.nonzero(cv2.erode(free.view(np.uint8), np.ones((13, 13), np.uint8)))
    if not len(rows):
        return np.zeros_like(free)
    pick = int(rng.integers(len(rows)))
    away = np.hypot(*(np.indices(free.shape) - np.array([rows[pick], columns[pick]])[:, None, None]))
    radius = float(np.exp(rng.uniform(np.log(5), np.log(50))))
    wavy = away * (1 + 0.3 * smooth(rng, free.shape, max(4.0, radius)))
    return _part_with(np.asarray((wavy < radius) & free), (int(rows[pick]), int(columns[pick])))


def click_on(rng: np.random.Generator, outline: Mask, truth: Mask) -> tuple[Point, bool] | None:
    """Where somebody would click (x, y), and whether to take away; None where nothing is wrong.

    Mostly it is near the middle of the largest part that is missing or too much.
    """
    if (outline & truth).any() and rng.random() < INSIDE:
        return _place(rng, outline & truth), False
    parts = [
        (numbers == number, away)
        for side, away in ((truth & ~outline, False), (outline & ~truth, True))
        for numbers, count in [ndimage.label(side)]
        for number in range(1, count + 1)
    ]
    if not parts:
        return None
    areas = np.array([part.sum() for part, _ in parts], np.float64)
    pick = (
        int(areas.argmax()) if rng.random() < LARGEST else int(rng.choice(len(parts), p=areas / areas.sum()))
    )
    part, away = parts[pick]
    return _place(rng, part), away


def _place(rng: np.random.Generator, part: Mask) -> Point:
    """A point in a part, off its deepest one by about JITTER of the depth there."""
    depth = _depth(np.pad(part, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    down, across = rng.normal(0, JITTER * depth.max(), 2)
    row_off = int(np.clip(round(row + down), 0, part.shape[0] - 1))
    column_off = int(np.clip(round(column + across), 0, part.shape[1] - 1))
    if part[row_off, column_off]:
        row, column = row_off, column_off
    return float(column) + 0.5, float(row) + 0.5


def _depth(mask: Mask) -> Floats:
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32)


def _inwards(mask: Mask) -> Floats:
    """Distance to the outline, negative outside."""
    return _depth(mask) - _depth(~mask)


def _radius(mask: Mask) -> float:
    return float(np.sqrt(mask.sum() / np.pi))


def _moved_edge(rng: np.random.Generator, truth: Mask, uneven: bool) -> Mask:
    """The edge moved in or out, everywhere alike or here and there."""
    radius, inwards = _radius(truth), _inwards(truth)
    if not uneven:
        return np.asarray(inwards > radius * rng.uniform(0.04, 0.4) * rng.choice([-1, 1]))
    if rng.random() < 0.5:
        waves = smooth(rng, truth.shape, radius * rng.uniform(0.3, 1.2))
        return np.asarray(inwards + radius * rng.uniform(0.08, 0.35) * waves > 0)
    edge = np.argwhere(truth & ~ndimage.binary_erosion(truth))
    rows, columns = np.indices(truth.shape)
    for _ in range(int(rng.integers(1, 4))):
        row, column = edge[rng.integers(len(edge))]
        away = np.hypot(rows - row, columns - column) / (rng.uniform(0.2, 0.9) * radius)
        inwards = inwards + rng.choice([-1, 1]) * rng.uniform(0.15, 0.7) * radius * np.exp(-(away**2))
    return np.asarray(inwards > 0)


def _thresholded(rng: np.random.Generator, truth: Mask, contrast: Floats) -> Mask:
    """What stands out at some level around the spheroid: its core, or it with what hangs on it."""
    soft = cv2.GaussianBlur(contrast, (0, 0), float(rng.uniform(0.8, 3)))
    level = float(np.quantile(soft[truth], rng.uniform(0.1, 0.6)))
    numbers, _ = ndimage.label(soft >= level)
    shared = np.bincount(numbers[truth])
    if len(shared) < 2 or not shared[1:].any():
        return _moved_edge(rng, truth, True)
    outline = np.asarray(ndimage.binary_fill_holes(numbers == 1 + int(shared[1:].argmax())))
    # a part of the whole field is nobody's outline of a spheroid
    near = _inwards(truth) > -_radius(truth) * rng.uniform(0.3, 1.5)
    return np.asarray(outline & near)


def _with_neighbour(rng: np.random.Generator, truth: Mask, neighbours: Mask) -> Mask:
    """The spheroid taken for one with another beside it, or with a blob that is none."""
    gap = int(rng.integers(1, 6))
    reached, _ = ndimage.label(ndimage.binary_dilation(truth | neighbours, iterations=gap))
    joined = np.asarray((reached == reached[tuple(np.argwhere(truth)[0])]) & (truth | neighbours))
    if (joined & ~truth).any():
        return np.asarray(ndimage.binary_closing(joined, iterations=gap) | joined)
    return truth | blob(rng, np.asarray(ndimage.binary_dilation(truth, iterations=12)))


def _cut(rng: np.random.Generator, truth: Mask) -> Mask:
    """A piece of the spheroid: what lies on one side of a line."""
    rows, columns = np.nonzero(truth)
    angle = rng.uniform(0, 2 * np.pi)
    down, across = np.indices(truth.shape)
    along = np.cos(angle) * (across - columns.mean()) + np.sin(angle) * (down - rows.mean())
    return np.asarray(truth & (along > _radius(truth) * rng.uniform(-0.7, 0.5)))


def _part_with(mask: Mask, pixel: tuple[int, int]) -> Mask:
    """The connected part of a mask that holds a pixel; empty where none does."""
    numbers, _ = ndimage.label(mask)
    return np.asarray((numbers == numbers[pixel]) & mask)
