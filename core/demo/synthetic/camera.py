"""From light to numbers: blur of the optics, shot and read noise, digitising."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.demo.synthetic.spec import Modality

Floats = NDArray[np.float32]

FOCUS_PX = 0.7  # blur of a well focused objective, as a Gaussian's sigma
# share of the camera's range that a light of 1 fills, share at no light, and electrons at full range
EXPOSURE = {Modality.BRIGHTFIELD: (0.6, 0.02, 80_000.0), Modality.FLUORESCENCE: (0.7, 0.025, 8_000.0)}
READ_ELECTRONS = 6.0


def blur(light: Floats, defocus_px: float) -> Floats:
    """Light (Y, X) as the objective images it."""
    sigma = float(np.hypot(FOCUS_PX, defocus_px))
    blurred: Floats = cv2.GaussianBlur(light, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return blurred


def expose(
    rng: np.random.Generator, light: Floats, modality: Modality, bits: int
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Pixels (Y, X) of a camera with ``bits`` significant bits, in the low bits of uint8 or uint16."""
    gain, offset, well = EXPOSURE[modality]
    electrons = light * np.float32(gain * well)
    np.maximum(electrons, 0, out=electrons)
    # above a few hundred electrons a normal draw cannot be told from a Poisson one, and costs a tenth
    spread = electrons + np.float32(READ_ELECTRONS**2)
    electrons += _normal(rng, light.shape) * np.sqrt(spread, out=spread)
    top = 2**bits - 1
    electrons *= np.float32(top / well)
    electrons += np.float32(offset * top)
    np.clip(np.rint(electrons, out=electrons), 0, top, out=electrons)
    return electrons.astype(np.uint8) if bits == 8 else electrons.astype(np.uint16)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Standard normal draws; OpenCV's generator, seeded from ``rng`` each time, is 4 times numpy's speed."""
    draws = np.empty(shape, np.float32)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(draws, 0, 1)
    return draws
