"""One image at two scales: bodies that only the coarser prediction shows whole are added to the finer one."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from core.segmentation.engines.base import Map, Prediction
from core.segmentation.outlines.boundaries import Mask, OutlinedObject, find
from core.segmentation.outlines.split import split

# Half the typical size that calls for a finer look. Chosen on eight organoid fields without masks and on 17
# images of two sets; 13 px were no better, 24 px found fewer.
LARGE_PX = 17.0
COMPACT = 0.9  # of its convex hull: what fills less may be several bodies, which the finer map keeps apart
KNOWN = 0.9  # of a body: what the finer map has, it draws better


def add_large(fine: Prediction, coarse: Prediction) -> Prediction:
    """Add to a finer prediction the large bodies that it misses, wholly or in part.

    Near enough, the lumen of a hollow body is field; from further away its wall closes around it. The coarse
    map also becomes the second one that confidence is computed from.
    """
    shape = fine.inside.shape
    missed = _missed(fine.inside, coarse.inside)
    inside, core = (
        np.maximum(own, resized(seen * missed, shape))
        for own, seen in ((fine.inside, coarse.inside), (fine.dense, coarse.dense))
    )
    return replace(fine, inside=inside, core=core, second=resized(coarse.inside, shape))


def _missed(fine: Map, coarse: Map) -> Mask:
    """Where the coarse map has large, compact bodies of which the fine one has too little; at its size."""
    known = cv2.resize(fine, (coarse.shape[1], coarse.shape[0]), interpolation=cv2.INTER_AREA) >= 0.5
    missed = np.zeros(coarse.shape, np.uint8)
    for item in find(split((coarse >= 0.5).view(np.uint8))):
        body = _compact(item)
        if body is not None and known[item.box][body > 0].mean() < KNOWN:
            missed[item.box] |= body
    return np.asarray(cv2.dilate(missed, np.ones((5, 5), np.uint8)))


def _compact(item: OutlinedObject) -> Mask | None:
    """The filled mask of a large object that is nearly convex; None of another."""
    ring = max(item.outer, key=cv2.contourArea)
    area = cv2.contourArea(ring)
    if area < math.pi / 4 * LARGE_PX**2 or area < COMPACT * cv2.contourArea(cv2.convexHull(ring)):
        return None
    return np.asarray(cv2.drawContours(np.zeros_like(item.mask), [ring], -1, 1, cv2.FILLED))


def resized(values: Map, shape: tuple[int, ...]) -> Map:
    """A map (Y, X) at another size, interpolated."""
    return np.asarray(cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR))
