"""Data of the image viewer: outlines in pixels, and the texts of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.models import MEASUREMENTS, Ring, Spheroid
from core.models.glossary import meaning
from core.models.quality import LOOK_BELOW
from core.segmentation.confidence import doubtful
from core.ui import format as fmt

SHOWN = {"equivalent_diameter": "Ø", "area": "Area", "circularity": "Circ.", "solidity": "Solidity"}
COLUMNS = {column.name: column for column in MEASUREMENTS if column.name in SHOWN}
MAX_PICTURE_PX = 5000  # side of the largest picture that a browser is given whole
AT_THE_EDGE = "touches the image's edge: it may be cut off"
CONFIDENCE = "expected overlap with the outline that a person would draw, from 0 to 1"
EXPLAINED = (
    f"Conf.: confidence, the {CONFIDENCE} (intersection over union). Below {LOOK_BELOW:g}, look at it."
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Outlines of another result, drawn under those that are shown, and what each of the two is called."""

    spheroids: Sequence[Spheroid]
    before: str
    after: str


def payload(
    *, width: int, height: int, spheroids: Sequence[Spheroid], um_per_px: float | None
) -> dict[str, Any]:
    """Return what the browser draws: outlines in pixels, and texts ready to show."""
    return {
        "width": width,
        "height": height,
        "umPerPx": um_per_px,
        "columns": [*(_header(name, um_per_px) for name in SHOWN), _CONFIDENCE_HEADER],
        "objects": [_object(spheroid, um_per_px) for spheroid in spheroids],
        "explained": EXPLAINED if any(item.confidence is not None for item in spheroids) else "",
    }


def pictures(raw: str, contrast: str, longest: int) -> dict[str, Any]:
    """Return the addresses of an image's pictures, and how many times they are smaller than the image.

    A browser cannot hold a very large picture well: it gets a smaller one, and of what is looked at closely
    the part in sight (viewer_detail.js). ``longest`` is the image's longer side in pixels.
    """
    if longest <= MAX_PICTURE_PX or "?" not in raw:
        return {"urls": {"raw": raw, "contrast": contrast}, "shrink": 1.0}
    smaller = f"&longest={MAX_PICTURE_PX}"
    return {
        "urls": {"raw": raw + smaller, "contrast": contrast + smaller},
        "shrink": longest / MAX_PICTURE_PX,
    }


def comparison_payload(comparison: Comparison | None) -> dict[str, Any] | None:
    """Return the other result's outlines and the two names; None where nothing is compared."""
    if comparison is None:
        return None
    outlines = [_rings(item) for item in comparison.spheroids]
    return {"outlines": outlines, "before": comparison.before, "after": comparison.after}


def _header(name: str, um_per_px: float | None) -> dict[str, str]:
    column = COLUMNS[name]
    unit = fmt.unit(column.dimension, um_per_px)
    return {
        "label": SHOWN[name],
        "unit": unit,
        "title": f"{column.label}: {meaning(name)} Computed as {column.formula}.",
    }


def _object(spheroid: Spheroid, um_per_px: float | None) -> dict[str, Any]:
    diameter = fmt.length(spheroid.measurements.get("equivalent_diameter"), um_per_px)
    border = bool(spheroid.measurements.get("touches_border"))
    return {
        "number": spheroid.number,
        "rings": _rings(spheroid),
        "title": f"Spheroid {spheroid.number}, Ø {diameter}" + (f", {AT_THE_EDGE}" if border else ""),
        "border": border,
        "cells": [*(_cell(spheroid, name, um_per_px) for name in SHOWN), _confidence_cell(spheroid)],
        "flags": _flags(spheroid, border),
    }


def _cell(spheroid: Spheroid, name: str, um_per_px: float | None) -> dict[str, str]:
    value = spheroid.measurements.get(name)
    text = fmt.three_digits(fmt.scaled(value, COLUMNS[name].dimension, um_per_px))
    why = spheroid.reasons.get(name, "could not be computed") if text == fmt.UNKNOWN else ""
    return {"text": text, "title": why}


_CONFIDENCE_HEADER = {"label": "Conf.", "unit": "", "title": f"Confidence: {meaning('confidence')}"}


def _confidence_cell(spheroid: Spheroid) -> dict[str, str]:
    if spheroid.confidence is None:
        return {"text": fmt.UNKNOWN, "title": "Only outlines that an engine drew have a confidence"}
    text = f"{spheroid.confidence:.2f}"
    if doubtful(spheroid.confidence):
        return {
            "text": f"▲ {text}",
            "title": "Look at this: compare the outline with the picture",
            "kind": "warn",
        }
    return {"text": text, "title": ""}


def _rings(spheroid: Spheroid) -> list[list[float]]:
    return [_flat(ring) for ring in (spheroid.contour.outer, *spheroid.contour.holes)]


def _flags(spheroid: Spheroid, border: bool) -> list[dict[str, str]]:
    flags = []
    if border:
        flags.append({"text": "at the edge", "title": AT_THE_EDGE.capitalize(), "kind": "warn"})
    holes = int(spheroid.measurements.get("n_holes") or 0)
    if holes:
        text = "1 hole" if holes == 1 else f"{fmt.count(holes)} holes"
        flags.append({"text": text, "title": "Taken out of the area", "kind": "note"})
    return flags


def _flat(ring: Ring) -> list[float]:
    """Flatten to x, y, x, y; a hundredth of a pixel is finer than any screen shows."""
    return [round(float(value), 2) for point in ring for value in point]
