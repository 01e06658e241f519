"""Label images and pictures that the segmentation tests are about."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

Labels = NDArray[np.int32]
Picture = NDArray[np.float64]


def disc(radius: float, pad: int = 3, offset: tuple[float, float] = (0.0, 0.0)) -> Labels:
    """Pixels with their centres within ``radius`` of the middle, which ``offset`` (y, x) moves."""
    n = 2 * int(np.ceil(radius)) + 2 * pad + 1
    y, x = np.mgrid[:n, :n] - n // 2
    return (np.hypot(y - offset[0], x - offset[1]) < radius).astype(np.int32)


def ellipse(major: float, minor: float, degrees: float) -> Labels:
    """Pixels within an ellipse of these full axes."""
    half = int(major / 2) + 4
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    turn = np.radians(degrees)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    return (np.hypot(along / (major / 2), across / (minor / 2)) <= 1).astype(np.int32)


def flat(labels: Labels) -> NDArray[np.uint8]:
    """Pixels to go with labels whose intensities do not matter."""
    return np.zeros(labels.shape, np.uint8)


@st.composite
def label_images(draw: st.DrawFn) -> Labels:
    """Numbered bodies of every kind: specks, lines, holes, islands in holes, bodies that meet at corners."""
    shape = draw(st.integers(1, 26)), draw(st.integers(1, 26))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    field = ndimage.gaussian_filter(rng.random(shape), draw(st.sampled_from([0.0, 0.7, 1.6])))
    mask = field > np.quantile(field, draw(st.floats(0.0, 1.0)))
    return ndimage.label(mask, np.ones((3, 3)))[0].astype(np.int32)


def field(
    bodies: list[tuple[int, int, int]],
    shape: tuple[int, int] = (400, 500),
    noise: float = 0.01,
    seed: int = 0,
) -> Picture:
    """Dark discs (x, y, radius) with soft edges on a bright field: 0.8 outside, 0.3 inside, then noise."""
    inside = np.zeros(shape, np.uint8)
    for x, y, radius in bodies:
        cv2.circle(inside, (x, y), radius, 1, cv2.FILLED)
    picture = 0.8 - 0.5 * ndimage.gaussian_filter(inside.astype(np.float64), 1.5)
    return picture + np.random.default_rng(seed).normal(0, noise, shape)


def stored(picture: Picture, dtype: type, top: float) -> NDArray[np.generic]:
    """The picture's 0..1 as whole numbers 0..``top``, or as they are for floats."""
    values = np.clip(picture, 0, 1) * top
    return (values if np.issubdtype(dtype, np.floating) else values.round()).astype(dtype)
