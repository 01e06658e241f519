"""What lies about in real images and is no spheroid: shadows, bubbles, fibres, clumps, coronas, text."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.noise import smooth

Floats = NDArray[np.float32]


def clutter(rng: np.random.Generator, density: Floats, amount: float = 1.0) -> None:
    """Add a random choice of artefacts to an optical density (Y, X), in place."""
    for chance, draw in CLUTTER:
        if rng.random() < chance * amount:
            draw(rng, density)


def shadows(rng: np.random.Generator, density: Floats) -> None:
    """Wide soft blots: things far out of focus."""
    for _ in range(rng.integers(1, 4)):
        axes = rng.uniform(0.05, 0.3, 2) * density.shape[0]
        blot = _ellipse(rng, density.shape, axes)
        density += rng.uniform(-0.15, 0.25) * cv2.GaussianBlur(blot, (0, 0), float(axes.min() / 2 + 2))


def ghosts(rng: np.random.Generator, density: Floats) -> None:
    """Bodies on another focal plane: small, pale and so soft that nobody would outline them."""
    for _ in range(rng.integers(1, 12)):
        diameter = rng.uniform(0.03, 0.12) * density.shape[0]
        blot = _ellipse(rng, density.shape, diameter / 2 * rng.uniform(0.8, 1.2, 2))
        soft = float(diameter * rng.uniform(0.14, 0.35))
        density += rng.uniform(0.05, 0.35) * cv2.GaussianBlur(blot, (0, 0), soft)


def bubbles(rng: np.random.Generator, density: Floats) -> None:
    """Round, with a thick dark rim and a bright, even middle."""
    height, width = density.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        radius = rng.uniform(0.03, 0.2) * height
        away = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) - radius
        thick = rng.uniform(0.05, 0.2) * radius + 1
        density += rng.uniform(0.6, 2) * np.exp(-((away / thick) ** 2))
        density -= rng.uniform(0, 0.25) * (away < -thick)


def fibres(rng: np.random.Generator, density: Floats) -> None:
    """Hairs and scratches: curves a few pixels wide, dark or bright."""
    height, width = density.shape
    canvas = np.zeros(density.shape, np.float32)
    for _ in range(rng.integers(1, 6)):
        steps = np.cumsum(rng.normal(0, 0.12, 40)) + rng.uniform(0, 2 * np.pi)
        stride = rng.uniform(0.01, 0.05) * height
        start = rng.uniform(0, 1, 2) * (width, height)
        points = start + np.cumsum(np.stack([np.cos(steps), np.sin(steps)], 1) * stride, axis=0)
        cv2.polylines(canvas, [points.astype(np.int32)], False, 1.0, int(rng.integers(1, 5)), cv2.LINE_AA)
    density += rng.uniform(-0.4, 0.9) * cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 2)))


def clumps(rng: np.random.Generator, density: Floats) -> None:
    """Small heaps of dead cells, ragged, smaller than any spheroid."""
    height, width = density.shape
    for _ in range(rng.integers(1, 10)):
        place = rng.uniform(0, 1, 2) * (width, height)
        spread = rng.uniform(0.004, 0.018) * height
        for dx, dy in rng.normal(0, spread, (rng.integers(2, 14), 2)):
            centre = (int(place[0] + dx), int(place[1] + dy))
            level = float(rng.uniform(-0.25, 0.7))
            cell = np.zeros((9, 9), np.float32)
            cv2.circle(cell, (4, 4), int(rng.integers(1, 4)), level, -1, cv2.LINE_AA)
            _add(density, cell, centre)


def streaks(rng: np.random.Generator, density: Floats) -> None:
    """Structure of a gel or of scratched plastic: stretched noise."""
    height, width = density.shape
    grain = rng.uniform(2, 12)
    field = smooth(rng, (height, max(8, int(width / rng.uniform(2, 8)))), grain)
    density += rng.uniform(0.01, 0.06) * cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)


def rings(rng: np.random.Generator, density: Floats) -> None:
    """Rims of wells, of droplets and of the field stop: thin lines around the image or a part of it."""
    height, width = density.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = rng.uniform(0.3, 1.2) * height
    for _ in range(rng.integers(1, 3)):
        centre = (0.5 + rng.normal(0, 0.2, 2)) * (height, width)
        away = np.hypot(y - centre[0], x - centre[1]) - radius
        thick = rng.uniform(0.002, 0.02) * height + 0.5
        density += rng.uniform(-0.5, 1.2) * np.exp(-((away / thick) ** 2))
        radius *= rng.uniform(1.01, 1.1)


def microwells(rng: np.random.Generator, density: Floats) -> None:
    """A grid of small round or square wells, whose walls are lines."""
    height, width = density.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    turn, pitch = rng.normal(0, 0.1), rng.uniform(0.15, 0.6) * height
    u = (np.cos(turn) * x + np.sin(turn) * y + rng.uniform(0, pitch)) % pitch - pitch / 2
    v = (np.cos(turn) * y - np.sin(turn) * x + rng.uniform(0, pitch)) % pitch - pitch / 2
    middle = np.hypot(u, v) if rng.random() < 0.5 else np.maximum(np.abs(u), np.abs(v))
    away = middle - pitch * rng.uniform(0.38, 0.5)
    density += rng.uniform(-0.4, 0.8) * np.exp(-((away / rng.uniform(1, 4)) ** 2))
    density += rng.uniform(-0.2, 0.3) * (away > 0)


def seen_through(rng: np.random.Generator, density: Floats) -> Floats:
    """Share of light that passes; one time in seven in colours, whose brightness is what is left of them."""
    if rng.random() > 1 / 7:
        return np.asarray(np.exp(-density), dtype=np.float32)
    cast = rng.dirichlet((4, 4, 4))
    passed = [share * np.exp(-density * rng.uniform(0.3, 1.7)) for share in cast]
    return np.asarray(sum(passed), dtype=np.float32)


def corona(rng: np.random.Generator, density: Floats, labels: NDArray[np.int32]) -> None:
    """Shadow or loose matter around bodies that is not body: fades over a tenth of the field, ragged."""
    if not labels.any() or labels.all():
        return
    away = cv2.distanceTransform((labels == 0).astype(np.uint8), cv2.DIST_L2, 5)
    reach = rng.uniform(0.01, 0.1) * density.shape[0]
    shape = (density.shape[0], density.shape[1])
    ragged = np.clip(1 + rng.uniform(0.2, 1.5) * smooth(rng, shape, rng.uniform(3, 20)), 0, 3)
    density += rng.uniform(-0.3, 0.25) * np.exp(-away / reach) * ragged * (labels == 0)


def dark_corners(rng: np.random.Generator, light: Floats) -> None:
    """The round edge of a well or a field stop: what lies outside is dark, or bright."""
    height, width = light.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre = (0.5 + rng.normal(0, 0.12, 2)) * (height, width)
    away = np.hypot(y - centre[0], x - centre[1]) - rng.uniform(0.35, 0.75) * height
    soft = rng.uniform(0.003, 0.08) * height
    light *= 1 - rng.uniform(0.3, 0.95) / (1 + np.exp(-np.clip(away / soft, -30, 30))).astype(np.float32)
    light += rng.uniform(0, 0.2) * np.exp(-((away / (0.02 * height)) ** 2))


def burnt_in(rng: np.random.Generator, image: Floats) -> None:
    """A scale bar with its label, or a line of text, in pure white or black."""
    height, width = image.shape
    level = float(image.max() if rng.random() < 0.6 else image.min())
    x, y = int(rng.uniform(0.02, 0.7) * width), int(height * rng.choice([0.06, 0.95]))
    size = float(rng.uniform(0.25, 0.6))
    text = str(rng.choice(["500 um", "100 um", "200 µm"[:3], "A01 D5 10x", "2021-03-04 11:20", "B7"]))
    if rng.random() < 0.7:
        box = (x, y), (x + int(rng.uniform(0.1, 0.3) * width), y + int(rng.integers(1, 6)))
        if rng.random() < 0.4:  # some programs print the bar on a plate of its own
            cv2.rectangle(
                image, (x - 6, y - 16), (box[1][0] + 6, y + 10), float(image.max() + image.min() - level), -1
            )
        cv2.rectangle(image, *box, level, -1)
    cv2.putText(image, text, (x, y - 4), cv2.FONT_HERSHEY_SIMPLEX, size, level, 1, cv2.LINE_AA)


def _ellipse(rng: np.random.Generator, shape: tuple[int, ...], axes: NDArray[np.float64]) -> Floats:
    blot = np.zeros(shape, np.float32)
    centre = (int(rng.uniform(0, shape[1])), int(rng.uniform(0, shape[0])))
    turn = float(rng.uniform(0, 180))
    cv2.ellipse(blot, centre, (int(axes[0]), int(axes[1])), turn, 0, 360, 1.0, -1)
    return blot


def _add(image: Floats, patch: Floats, centre: tuple[int, int]) -> None:
    """Add a patch in place; one that is not wholly inside is left out."""
    half = patch.shape[0] // 2
    x, y = centre[0] - half, centre[1] - half
    if x >= 0 and y >= 0 and y + patch.shape[0] <= image.shape[0] and x + patch.shape[1] <= image.shape[1]:
        image[y : y + patch.shape[0], x : x + patch.shape[1]] += patch


CLUTTER = (
    (0.3, shadows),
    (0.15, ghosts),
    (0.15, bubbles),
    (0.2, fibres),
    (0.35, clumps),
    (0.15, streaks),
    (0.12, rings),
    (0.06, microwells),
)
