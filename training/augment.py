"""Make one image look as if another lab had taken it: pixels change, what is a body does not."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.noise import smooth

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]


def cut(
    rng: np.random.Generator,
    image: Floats,
    labels: Labels,
    size: int,
    scale: float,
    center: tuple[float, float],
) -> tuple[Floats, Labels]:
    """Turned, flipped, a little stretched square of ``size`` pixels around ``center`` (x, y), at ``scale``.

    What lies beyond the image's edge is its mirror image.
    """
    turn = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else rng.integers(0, 4) * np.pi / 2
    stretch = np.exp(rng.normal(0, 0.06, 2)) / scale
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * stretch
    matrix[:, 0] *= rng.choice([-1, 1])
    shift = np.array(center) - matrix @ (size / 2, size / 2)
    full = np.column_stack([matrix, shift])
    back = cv2.WARP_INVERSE_MAP
    out = (size, size)
    pixels = cv2.warpAffine(
        image, full, out, flags=cv2.INTER_LINEAR | back, borderMode=cv2.BORDER_REFLECT_101
    )
    # nearest neighbour, as a label between two others is a third body's
    wide = labels.astype(np.float32)
    truth = cv2.warpAffine(wide, full, out, flags=cv2.INTER_NEAREST | back, borderMode=cv2.BORDER_REFLECT_101)
    return pixels, truth.astype(np.int32)


def vary(rng: np.random.Generator, image: Floats) -> Floats:
    """Change contrast, light, focus, noise and compression; input about -1..1."""
    image = _tone(rng, image)
    if rng.random() < 0.35:
        image = image + rng.uniform(0.05, 0.35) * smooth(
            rng, (image.shape[0], image.shape[1]), image.shape[0] / 2
        )
    if rng.random() < 0.25:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.4:
        noise = rng.standard_normal(image.shape, dtype=np.float32) * np.exp(
            rng.uniform(np.log(0.01), np.log(0.15))
        )
        image = image + (noise if rng.random() < 0.6 else cv2.GaussianBlur(noise, (0, 0), 0.8) * 2)
    if rng.random() < 0.15:
        image = _jpeg(image, int(rng.integers(25, 85)))
    return np.clip(image, -1.7, 1.7).astype(np.float32)


def _tone(rng: np.random.Generator, image: Floats) -> Floats:
    """Gamma, gain and offset."""
    share = np.clip((image + 1) / 2, 0, 1)
    bent = share ** np.exp(rng.normal(0, 0.3)) * 2 - 1
    toned: Floats = (bent * np.exp(rng.normal(0, 0.15)) + rng.normal(0, 0.1)).astype(np.float32)
    return toned


def _jpeg(image: Floats, quality: int) -> Floats:
    eight = np.clip((image + 1.3) * 98, 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    unpacked: Floats = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 98 - np.float32(1.3)
    return unpacked
