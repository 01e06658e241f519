"""From an engine's maps to numbered objects at the image's own size; shared by all engines."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.segmentation.engines.base import Map, Prediction
from core.segmentation.outlines import artefacts
from core.segmentation.outlines.boundaries import Boxes, Labels, Mask, find
from core.segmentation.outlines.holes import fill_lumens, fill_own
from core.segmentation.outlines.split import join_small, split
from core.segmentation.params import SegmentationParams

STRONGER = 1.02  # how strong the cores' edges must be beside those of whole bodies (docs/accuracy.md)
_BAND = np.ones((5, 5), np.uint8)
DENSE = 0.15  # of a body: the least share that is core where the rest of it is halo; drawn halos leave 0.3
_RIM = 0.3  # of a body's inner radius: what is thinner than twice this is rim, not core


def postprocess(prediction: Prediction, params: SegmentationParams, shape: tuple[int, ...]) -> Labels:
    """Number the objects of a prediction.

    Returns:
        int32 (Y, X) of ``shape``: 1..N from the largest to the smallest, each in one part.
    """
    level = 0.5 * (1 - params.sensitivity)
    target = replace(prediction, inside=_target(prediction, params))
    labels = _bodies(target, params, level)
    labels = _without_artefacts(labels, prediction, level)
    small = too_small(labels, params.min_relative_area)
    labels = keep(labels if params.outline == "core" else join_small(labels, small), ~small)
    if params.outline == "core" and prediction.core is None:
        labels = without_rims(labels)
        target, level = Prediction(_drawn(labels)), 0.5
    labels = enlarge(labels, _smooth(target), level, (shape[0], shape[1]))
    boxes = ndimage.find_objects(labels)  # what follows only takes away within them, or fills
    labels = largest_parts(labels, boxes)
    if params.fill_holes:
        labels = fill_own(labels, boxes)  # pinholes where the map wavers about the level beside an outline
    if not params.keep_border_objects:
        labels = drop_at_border(labels)
    return number_by_area(labels, math.pi / 4 * params.min_diameter_px**2, boxes)


def components(mask: Mask) -> Labels:
    """Number a mask's parts; pixels connect diagonally, too."""
    return np.asarray(cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)[1])


def without_specks(mask: Mask, radius_px: int) -> Mask:
    """Take away what a disc of this radius does not fit into; bodies go on behind the image's edge."""
    if radius_px == 0:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))
    framed = np.pad(mask, radius_px, mode="edge")
    inner = slice(radius_px, -radius_px)
    return np.asarray(cv2.morphologyEx(framed, cv2.MORPH_OPEN, disc)[inner, inner])


def without_rims(labels: Labels) -> Labels:
    """Take from each object what is thin beside its thickest place: fringes, fingers, single cells."""
    out = np.zeros_like(labels)
    for item in find(labels):
        radius = float(cv2.distanceTransform(np.pad(item.mask, 1), cv2.DIST_L2, 5).max())
        body = without_specks(item.mask, round(_RIM * radius))
        out[item.box][body > 0] = item.number
    return largest_parts(out)


def too_small(labels: Labels, min_relative_area: float) -> NDArray[np.bool_]:
    """True for objects (by number) below this share of the typical area, the area-weighted median.

    Weighted by area, because in a plain median a hundred specks of debris outvote one spheroid.
    """
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return np.asarray(areas < min_relative_area * artefacts.weighted_median(areas, areas))


def drop_at_border(labels: Labels) -> Labels:
    """Drop objects with a pixel on the image's edge."""
    inner = np.ones(int(labels.max()) + 1, np.bool_)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        inner[edge] = False
    return keep(labels, inner)


def enlarge(labels: Labels, inside: Map, level: float, shape: tuple[int, int]) -> Labels:
    """Bring objects to the image's own size, with outlines where the map, interpolated, crosses ``level``.

    Only within two working pixels of the objects' outlines: what was filled stays filled, what was dropped
    stays dropped.
    """
    if labels.shape == shape:
        return labels
    size = (shape[1], shape[0])
    deep = cv2.erode((labels > 0).view(np.uint8), _BAND)
    near = np.where(labels > 0, labels, cv2.dilate(labels.astype(np.float32), _BAND).astype(np.int32))
    wide = cv2.resize(near, size, interpolation=cv2.INTER_NEAREST_EXACT)
    body = cv2.resize(inside, size, interpolation=cv2.INTER_LINEAR) >= level
    body |= cv2.resize(deep, size, interpolation=cv2.INTER_NEAREST_EXACT).view(np.bool_)
    wide *= body
    return np.asarray(wide)


def largest_parts(labels: Labels, boxes: Boxes | None = None) -> Labels:
    """Keep only the largest part of each object, so that each has one outline; ``boxes`` as for ``find``."""
    for item in find(labels, boxes):
        if len(item.outer) > 1:
            parts = components(item.mask)
            areas = np.bincount(parts.ravel())
            areas[0] = 0
            labels[item.box][(item.mask > 0) & (parts != areas.argmax())] = 0
    return labels


def number_by_area(labels: Labels, min_area_px: float, boxes: Boxes) -> Labels:
    """Number objects 1..N from the largest to the smallest, without those below an area.

    ``boxes``: around the objects, as for ``find``.
    """
    # by boxes: counting the whole image's numbers would hold it once more, at eight bytes a pixel
    objects = [
        (box, mask, np.count_nonzero(mask))
        for number, box in enumerate(boxes, start=1)
        if box is not None
        for mask in [labels[box] == number]
    ]
    out = np.zeros_like(labels)
    large = (item for item in objects if item[2] >= max(1, min_area_px))
    for number, (box, mask, _) in enumerate(sorted(large, key=lambda item: -item[2]), start=1):
        out[box][mask] = number
    return out


def keep(labels: Labels, selected: NDArray[np.bool_]) -> Labels:
    """Only the objects whose numbers are wanted, under the numbers that they have."""
    return np.where(selected, np.arange(len(selected)), 0).astype(np.int32)[labels]


def _bodies(prediction: Prediction, params: SegmentationParams, level: float) -> Labels:
    mask = (prediction.inside >= level).view(np.uint8)
    if params.fill_holes:
        mask = fill_lumens(mask, prediction.inside, level)
    # Walls are known by their whole run along the edge, so before anything comes apart.
    parts = components(mask)
    mask = without_specks((keep(parts, artefacts.walls(parts)) > 0).view(np.uint8), prediction.speck_px)
    labels = split(mask) if params.split_touching else components(mask)
    return fill_own(labels) if params.fill_holes else labels


def _target(prediction: Prediction, params: SegmentationParams) -> Map:
    """The map of what is to be outlined.

    ``auto``: the core where its edge is the stronger one, as in a halo of loose cells or a blurred shadow,
    unless hardly anything of a body is dense; else the whole.
    """
    whole = prediction.inside
    if params.outline == "whole" or prediction.core is None:
        return whole
    core = np.minimum(prediction.core, whole)
    if params.outline == "core":
        return core
    if prediction.core_edge <= STRONGER:
        return whole
    parts = components((whole >= 0.5).view(np.uint8)).ravel()
    dense = np.bincount(parts, core.ravel() >= 0.5) >= DENSE * np.bincount(parts)
    return np.asarray(np.where(dense[parts].reshape(whole.shape), core, whole))


def _smooth(prediction: Prediction) -> Map:
    """The map whose level outlines follow."""
    if not prediction.waver_px:
        return prediction.inside
    return np.asarray(cv2.GaussianBlur(prediction.inside, (0, 0), prediction.waver_px))


def _drawn(labels: Labels) -> Map:
    """A map whose level 0.5 runs along the objects' own outlines."""
    return np.asarray(cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), 1.0))


def _without_artefacts(labels: Labels, prediction: Prediction, level: float) -> Labels:
    labels = keep(labels, artefacts.bars(labels))
    if prediction.core is not None:
        labels = keep(labels, artefacts.certain(labels, prediction.inside, level))
    if prediction.sharpness is None:
        return labels
    return keep(labels, artefacts.focused(labels, prediction.sharpness))
