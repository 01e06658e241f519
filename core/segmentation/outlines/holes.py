"""Holes of a mask: lumens, which are filled, and gaps between bodies, which are not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.segmentation.engines.base import Map
from core.segmentation.outlines.boundaries import Boxes, Labels, Mask, find

_FAINT = 0.7  # of the level: a hole that is nearly body is body
_LUMEN_SOLIDITY = 0.85


def fill_lumens(mask: Mask, inside: Map, level: float) -> Mask:
    """Fill the holes that bodies enclose, but not the gaps between bodies that touch.

    A hole is filled where the map nearly calls it body, or where it is a lumen: rounder than a gap between
    round bodies, whose sides bulge inward, and wider than the wall around it, which a gap between bodies is
    not.

    Args:
        mask: uint8 (Y, X), 0 or 1.
        inside: float32 (Y, X), what the mask was made from.
        level: from where up ``inside`` is body.
    """
    count, holes = cv2.connectedComponents(1 - mask, connectivity=4, ltype=cv2.CV_32S)
    areas = np.bincount(holes.ravel(), minlength=count)
    means = np.bincount(holes.ravel(), inside.ravel(), count) / np.maximum(areas, 1)
    enclosed = _enclosed(holes, count)
    fill = enclosed & (means >= _FAINT * level)
    unsure = enclosed & ~fill & (areas > 9)
    if unsure.any():
        fill |= unsure & _wider_than_walls(mask, holes, count) & _round(holes, unsure)
    return np.asarray(mask | fill[holes].view(np.uint8))


def fill_own(labels: Labels, boxes: Boxes | None = None) -> Labels:
    """Fill the holes of each object where nothing else lies in them; ``boxes`` as for ``find``."""
    for item in find(labels, boxes):
        if item.holes:
            drawn = item.mask.copy()
            cv2.drawContours(drawn, [*item.outer], -1, 1, cv2.FILLED)
            within = labels[item.box]
            within[(drawn > 0) & (within == 0)] = item.number
    return labels


def _enclosed(holes: Labels, count: int) -> NDArray[np.bool_]:
    enclosed = np.ones(count, np.bool_)
    enclosed[0] = False  # the mask itself
    for edge in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        enclosed[edge] = False
    return enclosed


def _wider_than_walls(mask: Mask, holes: Labels, count: int) -> NDArray[np.bool_]:
    """For each hole, whether its widest place is wider than that of the body around it."""
    bodies = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)[1]
    walls = _greatest(cv2.distanceTransform(mask, cv2.DIST_L2, 3), bodies)
    widths = _greatest(cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3), holes)
    # Every enclosed hole has its body to the left of its first pixel.
    first = np.full(count, holes.size, np.int64)
    np.minimum.at(first, holes.ravel(), np.arange(holes.size))
    return np.asarray(widths > walls[bodies.ravel()[np.maximum(first - 1, 0)]])


def _greatest(values: Map, labels: Labels) -> Map:
    out = np.zeros(int(labels.max()) + 1, np.float32)
    np.maximum.at(out, labels.ravel(), values.ravel())
    return out


def _round(holes: Labels, unsure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    out = np.zeros_like(unsure)
    boxes = ndimage.find_objects(holes)
    for number in np.flatnonzero(unsure):
        hole = (holes[boxes[number - 1]] == number).view(np.uint8)
        ring = cv2.findContours(hole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
        out[number] = cv2.contourArea(ring) >= _LUMEN_SOLIDITY * cv2.contourArea(cv2.convexHull(ring))
    return out
