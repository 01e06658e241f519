"""Summary of a result's spheroids, as the table of images has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.models.domain import Spheroid
from core.models.quality import ImageQuality


def summary(
    spheroids: Sequence[Spheroid], confidence: float | None, quality: ImageQuality | None = None
) -> dict[str, Any]:
    """Columns of the image table that follow from a result's spheroids, by name; sizes in pixels.

    The ``largest_`` values are those of the spheroid with the largest area, None where there is none.
    """
    largest = (
        max(spheroids, key=lambda item: item.measurements["area"] or 0).measurements if spheroids else {}
    )
    return {
        "n_objects": len(spheroids),
        "largest_diameter_px": largest.get("equivalent_diameter"),
        "largest_area_px": largest.get("area"),
        "largest_circularity": largest.get("circularity"),
        "confidence": confidence,
        "edge_blur": quality and quality.edge_blur,
        "specks": quality and quality.specks,
    }
