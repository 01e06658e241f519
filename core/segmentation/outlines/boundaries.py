"""Object boundaries: closed paths along the edges between an object's pixels and its surroundings.

OpenCV traces from pixel to pixel; here its steps become the pixel edges that they pass, because perimeters,
moments and exact outlines all follow from edges. All rings of an image are treated at once: a Python loop
with thirty small numpy calls an object took 200 ms for 150 objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.segmentation import ragged
from core.segmentation.ragged import Ints

Box = tuple[slice, slice]
Boxes = Sequence[Box | None]  # by number - 1; None where a number does not occur
Labels = NDArray[np.int32]
Mask = NDArray[np.uint8]
Points = NDArray[np.int32]

# Directions are OpenCV's neighbours in steps of 45°, clockwise on the screen from 0 = right; y points down.
RIGHT, BOTTOM, LEFT, TOP = 0, 2, 4, 6
_STEP = np.array([[5, 6, 7], [4, 8, 0], [3, 2, 1]])  # by [dy + 1, dx + 1]; 8 is no step
_MIDDLE_X = np.array([1, 1, 0.5, 0.5, 0, 0, 0.5, 0.5])  # of a pixel's side, by its direction
_MIDDLE_Y = np.array([0.5, 0.5, 1, 1, 0.5, 0.5, 0, 0])


@dataclass(frozen=True, slots=True)
class OutlinedObject:
    """One object: number, bounding box in the label image, and in that box its mask and rings of pixels.

    ``mask`` is uint8 (Y, X), 0 or 1; a ring is int32 (N, 2), pixels as (x, y). ``outer`` has one ring a part.
    """

    number: int
    box: Box
    mask: Mask
    outer: tuple[Points, ...]
    holes: tuple[Points, ...]


def find(labels: Labels, boxes: Boxes | None = None) -> list[OutlinedObject]:
    """Find every object, ordered by number; a number that does not occur has no entry.

    An object's pixels also connect diagonally, so what is around them and in its holes does not: a gap that
    is open only at a corner is closed.

    Args:
        labels: int32 (Y, X), 0 is background.
        boxes: around objects 1..N, where they are known; they need not be tight. Looking for them takes
            longer than everything else here.
    """
    known = ndimage.find_objects(labels) if boxes is None else boxes
    items = (_outlined(number, box, labels) for number, box in enumerate(known, start=1) if box is not None)
    return [item for item in items if item is not None]


def _outlined(number: int, box: Box, labels: Labels) -> OutlinedObject | None:
    mask = (labels[box] == number).view(np.uint8)
    rings, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not rings:
        return None
    inside = [parent >= 0 for parent in hierarchy[0, :, 3].tolist()]
    outer = tuple(ring[:, 0] for ring, hole in zip(rings, inside, strict=True) if not hole)
    holes = tuple(ring[:, 0] for ring, hole in zip(rings, inside, strict=True) if hole)
    return OutlinedObject(number, box, mask, outer, holes)


@dataclass(frozen=True, slots=True)
class Edges:
    """Closed paths along pixel edges, end to end, the object on the left: outer rings run counterclockwise.

    Edge i is the side ``side[i]`` (RIGHT, BOTTOM, LEFT or TOP) of the pixel ``x[i]``, ``y[i]``; ``after[i]``
    is the edge that follows it. Ring r is the edges ``start[r]`` to ``start[r + 1]``.
    """

    x: Ints
    y: Ints
    side: Ints
    after: Ints
    start: Ints

    @property
    def midpoints(self) -> NDArray[np.float64]:
        """Middles of the edges, float64 (N, 2) as (x, y); (0.5, 0.5) is the centre of the first pixel."""
        return np.stack([self.x + _MIDDLE_X[self.side], self.y + _MIDDLE_Y[self.side]], axis=1)


def edges(rings: Sequence[Points]) -> Edges:
    """Return the edges that rings of pixels, as ``find`` returns them, pass."""
    points = np.concatenate(rings).astype(np.int64)
    x, y = points[:, 0], points[:, 1]
    start = ragged.starts([len(ring) for ring in rings])
    after = ragged.successors(start)
    step = _STEP[y[after] - y + 1, x[after] - x + 1]
    alone = step == 8
    back = np.empty_like(step)
    back[after] = (step + 4) % 8
    back[alone] = LEFT
    # Turning counterclockwise from where the walk came from to where it goes, every neighbour is outside;
    # those straight across an edge give the edges that are passed. All four of a lone pixel are.
    counts = np.where(alone, 4, ((back - step - 1) % 8 + back % 2) // 2)
    passed = ragged.starts(counts)
    pixel = ragged.owners(passed)
    side = ((back + back % 2 - 2)[pixel] - 2 * ragged.places(passed)) % 8
    start = passed[start]
    return Edges(x[pixel], y[pixel], side, ragged.successors(start), start)
