"""The part of a probability map that a click is about, at the image's resolution.

A map is as large as the engine's working copy, an image may have 80 megapixels: never is all of it enlarged.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from core.corrections.regions import Box
from core.segmentation.engines.base import Map

Pixel = tuple[int, int]  # (row, column)


def enlarged(inside: Map, box: Box, shape: tuple[int, int]) -> Map:
    """The map at the resolution of an image of ``shape`` (Y, X), in a box of it: float32."""
    rows, columns = box
    down, across = inside.shape[0] / shape[0], inside.shape[1] / shape[1]
    placed = np.array(
        [[across, 0.0, (columns.start + 0.5) * across - 0.5], [0.0, down, (rows.start + 0.5) * down - 0.5]]
    )
    size = (columns.stop - columns.start, rows.stop - rows.start)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part: Map = cv2.warpAffine(inside, placed, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return part


def probability_at(inside: Map, pixel: Pixel, shape: tuple[int, int]) -> float:
    """The probability at a pixel of the image, 0..1."""
    row, column = pixel
    return float(enlarged(inside, (slice(row, row + 1), slice(column, column + 1)), shape)[0, 0])


def connected_box(inside: Map, level: float, pixel: Pixel, shape: tuple[int, int]) -> Box:
    """A box that holds all pixels of the image that connect with one at a level of the map, and some more.

    Pixels between values of the map are at most as probable as the most probable of the four around them.
    """
    if inside.shape[0] >= shape[0] or inside.shape[1] >= shape[1]:
        return slice(0, shape[0]), slice(0, shape[1])
    cells = cv2.dilate((inside >= level).astype(np.uint8), np.ones((3, 3), np.uint8))
    scales = (inside.shape[0] / shape[0], inside.shape[1] / shape[1])
    row, column = (
        min(size - 1, max(0, round((place + 0.5) * scale - 0.5)))
        for place, scale, size in zip(pixel, scales, inside.shape, strict=True)
    )
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    left, top, width, height = boxes[parts[row, column]][:4].tolist()
    rows, columns = (
        slice(max(0, math.floor((first - 1) / scale)), min(size, math.ceil((first + count + 1) / scale)))
        for first, count, scale, size in zip((top, left), (height, width), scales, shape, strict=True)
    )
    return rows, columns


def enclosing_box(one: Box, other: Box) -> Box:
    """The smallest box around two."""
    rows, columns = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return rows, columns
