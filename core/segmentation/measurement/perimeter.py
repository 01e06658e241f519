"""Two perimeters: Crofton's, accurate for smooth bodies, and ImageJ's, for comparison with papers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.segmentation import ragged
from core.segmentation.outlines.boundaries import RIGHT, TOP, Edges
from core.segmentation.ragged import Ints

# Where an edge ends, from its pixel's top left corner, by side: bottom edges run right, right ones up.
_END_X = np.array([1, 1, 1, 1, 0, 0, 0, 0])
_END_Y = np.array([0, 0, 1, 1, 1, 1, 0, 0])


def crofton(edges: Edges, start: Ints) -> NDArray[np.float64]:
    """Return the Crofton perimeter in 4 directions, in px, of each object, with the edges of its holes.

    The same numbers as ``skimage.measure.perimeter_crofton(mask, directions=4)``: π/8 · (changes between
    neighbours in rows and columns + changes between neighbours on both diagonals / √2). Each edge is a change
    of the first kind. Of the second kind there are two where the walk goes straight on and one where it
    turns, except where two parts of the object meet at a corner: there the walk turns twice and there is
    none.

    Args:
        edges: outer rings and holes of all objects.
        start: where each object's edges start, and where the last one's end.
    """
    turn = (edges.side[edges.after] - edges.side) % 8
    straight = np.diff(start)
    slanted = ragged.sums(np.where(turn == 0, 2, 1), start) - 2 * _meetings(edges, start, turn == 2)
    return np.asarray(math.pi / 8 * (straight + slanted / math.sqrt(2)))


def _meetings(edges: Edges, start: Ints, inward: NDArray[np.bool_]) -> Ints:
    """Return how often each object's walk comes to a corner again; it can only turn inward there."""
    where = np.flatnonzero(inward)
    owner = ragged.owners(start)[where]
    x = edges.x[where] + _END_X[edges.side[where]]
    y = edges.y[where] + _END_Y[edges.side[where]]
    width, height = edges.x.max() + 2, edges.y.max() + 2
    corners = np.sort((owner * height + y) * width + x)
    repeated = corners[1:][corners[1:] == corners[:-1]]
    return np.bincount(repeated // (width * height), minlength=len(start) - 1)


def traced(outer: Edges) -> NDArray[np.float64]:
    """Return ImageJ's perimeter of each ring in px: edges minus (2 − √2) for each non-adjacent corner.

    After ``PolygonRoi.getTracedPerimeter`` and ``Wand.traceEdge`` (8-connected, as the Particle Analyzer
    calls it). ImageJ counts a corner unless the one before it was counted and is one edge away, so the number
    depends on where the walk starts and which way it goes: clockwise from below the right end of the topmost
    row.

    Args:
        outer: outer rings only.
    """
    place, lengths = ragged.places(outer.start), np.diff(outer.start)
    ring = ragged.owners(outer.start)
    clockwise = outer.start[ring] + (_imagej_start(outer)[ring] - place) % lengths[ring]
    side = outer.side[clockwise]
    corner = np.flatnonzero(side != side[outer.after])
    restart = np.diff(corner, prepend=-2) > 1
    restart[1:] |= ring[corner[1:]] != ring[corner[:-1]]
    nth = np.arange(len(corner))
    since = nth - np.maximum.accumulate(np.where(restart, nth, 0))
    counted = np.bincount(ring[corner], weights=since % 2 == 0, minlength=len(lengths))
    return np.asarray(lengths - counted * (2 - math.sqrt(2)))


def _imagej_start(outer: Edges) -> Ints:
    """Place in each ring of the right edge at the right end of its topmost row's first run of pixels."""
    end = (outer.side == RIGHT) & (outer.side[outer.after] == TOP)
    far = outer.x.max() + 1
    key = np.where(end, outer.y * far + outer.x, np.iinfo(np.int64).max)
    lowest = np.minimum.reduceat(key, outer.start[:-1])
    return np.flatnonzero(key == lowest[ragged.owners(outer.start)]) - outer.start[:-1]
