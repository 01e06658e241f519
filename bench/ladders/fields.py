"""Shapes and textures of the ladders: level sets of filtered noise, nothing that the training draws with."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def texture(rng: np.random.Generator, side: int, grain_px: float) -> Floats:
    """White noise with its high frequencies taken out, (side, side): mean 0, standard deviation 1."""
    frequency = np.fft.rfftfreq(side), np.fft.fftfreq(side)
    squared = frequency[0][None, :] ** 2 + frequency[1][:, None] ** 2
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    field = np.fft.irfft2(spectrum * np.exp(-squared * grain_px**2 * 2), s=(side, side))
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-9), dtype=np.float32)


def body(
    rng: np.random.Generator, side: int, center: tuple[float, float], area_px: float, rough: float = 0.05
) -> Mask:
    """One blob in one part with exactly this area, where the field has room for it.

    A cone around ``center`` (x, y), bent by noise and a stretch, cut at the height that gives the area.
    ``rough``: the noise's strength as a share of the radius.
    """
    radius = float(np.sqrt(area_px / np.pi))
    wide = min(side, int(3.4 * radius) + 16)
    left, top = (int(np.clip(value - wide / 2, 0, side - wide)) for value in center)
    y, x = np.mgrid[:wide, :wide].astype(np.float32) + np.float32(0.5)
    turn, stretch = rng.uniform(0, np.pi), np.exp(rng.normal(0, 0.08))
    u = (x + left - center[0]) * np.cos(turn) + (y + top - center[1]) * np.sin(turn)
    v = (y + top - center[1]) * np.cos(turn) - (x + left - center[0]) * np.sin(turn)
    noise = 1.6 * texture(rng, wide, 0.5 * radius) + 0.4 * texture(rng, wide, 0.12 * radius + 1)
    height = np.hypot(u * stretch, v / stretch) + rough * radius * noise
    rank = min(height.size - 1, int(area_px))
    mask = np.zeros((side, side), np.bool_)
    mask[top : top + wide, left : left + wide] = _main_part(height < np.partition(height.ravel(), rank)[rank])
    return mask


def rim_distance(mask: Mask) -> Floats:
    """Distance to the outline in pixels: positive inside, negative outside; the field's edge is none."""
    framed = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inner = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outer = cv2.distanceTransform(1 - framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    if mask.all() or not mask.any():
        return np.full(mask.shape, mask.shape[0] if mask.all() else -mask.shape[0], np.float32)
    return np.asarray((inner - outer)[1:-1, 1:-1], dtype=np.float32)


def cells(rng: np.random.Generator, side: int, cell_px: float) -> Floats:
    """Close-packed round cells, (side, side): 1 in a cell's middle, 0 between cells."""
    step = max(2.0, cell_px)
    count = int(side / step) + 1
    grid = np.mgrid[:count, :count].reshape(2, -1) * step + rng.uniform(-0.45, 0.45, (2, count**2)) * step
    points = np.ones((side, side), np.uint8)
    rows, columns = np.clip(np.rint(grid), 0, side - 1).astype(np.int64)
    points[rows, columns] = 0
    away = cv2.distanceTransform(points, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.clip(1 - away / (0.62 * step), 0, 1), dtype=np.float32)


def specks(rng: np.random.Generator, side: int, count: int, largest_px: float) -> Floats:
    """Debris, (side, side): small ellipses of 0.2 to 1, alone and in heaps of a few."""
    canvas = np.zeros((side, side), np.float32)
    done = 0
    while done < count:
        middle, heap = rng.uniform(0, side, 2), int(rng.integers(1, 6))
        for dx, dy in rng.normal(0, 1.2 * largest_px, (heap, 2)):
            axes = rng.uniform(0.3, 1, 2) * largest_px / 2
            ends = (int(max(1, axes[0])), int(max(1, axes[1])))
            place = (int(middle[0] + dx), int(middle[1] + dy))
            level = float(rng.uniform(0.2, 1))
            cv2.ellipse(canvas, place, ends, float(rng.uniform(0, 180)), 0, 360, level, -1, cv2.LINE_AA)
        done += heap
    return canvas


def _main_part(mask: Mask) -> Mask:
    count, parts = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    if count <= 2:
        return mask
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    return np.asarray(parts == areas.argmax())
