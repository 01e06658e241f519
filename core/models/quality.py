"""Quality of an image as a whole, and the confidence below which somebody should look at its outlines."""

from __future__ import annotations

from dataclasses import dataclass

LOOK_BELOW = 0.91  # confidence; chosen in docs/accuracy.md


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """Quality of an image as a whole.

    ``edge_blur``: of the largest spheroid's edge, as a Gaussian's sigma in percent of the diameter; None
    where there is none. ``specks``: small things outside the spheroids.
    """

    edge_blur: float | None
    specks: int
