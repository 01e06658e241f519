"""What an image as a whole is like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """What an image as a whole is like.

    ``edge_blur``: of the largest spheroid's edge, as a Gaussian's sigma in percent of the diameter; None
    where there is none. ``specks``: small things outside the spheroids.
    """

    edge_blur: float | None
    specks: int
