"""What a synthetic scene contains; positions and sizes in pixels, (x, y) with (0.5, 0.5) a pixel's centre."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidRequest


class Modality(StrEnum):
    """Imaging modes of a scene."""

    BRIGHTFIELD = "brightfield"
    FLUORESCENCE = "fluorescence"


@dataclass(frozen=True, slots=True)
class BodySpec:
    """One spheroid.

    ``diameter_px`` is the equivalent diameter that the outline has exactly, before it is put on pixels.
    ``irregularity`` is about the rim's standard deviation as a share of the radius. ``opacity`` is the
    optical density through the middle: 0.5 shows single cells, 2 is nearly black. ``necrosis`` darkens the
    core.
    """

    center: tuple[float, float]
    diameter_px: float
    irregularity: float = 0.04
    opacity: float = 1.2
    necrosis: float = 0.3
    cell_px: float = 6.0


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """One field of view. ``defocus_px`` is the extra blur's sigma; ``bits`` are the camera's, 8 to 16."""

    bodies: tuple[BodySpec, ...]
    shape: tuple[int, int] = (512, 512)
    um_per_px: float = 2.5
    modality: Modality = Modality.BRIGHTFIELD
    loose_cells: int = 10
    specks: int = 30
    well_wall: bool = False
    defocus_px: float = 0.0
    bits: int = 12

    def __post_init__(self) -> None:
        if min(self.shape) < 16:
            raise InvalidRequest(f"A scene needs at least 16 pixels a side, not {min(self.shape)}.")
        if not 8 <= self.bits <= 16:
            raise InvalidRequest(f"A camera has 8 to 16 bits, not {self.bits}.")
        if any(not body.diameter_px > 0 for body in self.bodies):
            raise InvalidRequest("A spheroid's diameter must be greater than 0.")


@dataclass(frozen=True, slots=True)
class Scene:
    """An image and its exact truth.

    ``pixels``: uint16 (Y, X), or uint8 where the camera has 8 bits. ``labels``: int32 (Y, X), 0 is
    background, n is the n-th body; where bodies overlap the earlier one keeps the pixel.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    labels: NDArray[np.int32]
    um_per_px: float
