"""Data of the image viewer: outlines in pixels, and the texts of its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.models import MEASUREMENTS, Ring, Spheroid
from core.segmentation.confidence import doubtful
from core.ui import format as fmt

SHOWN = {"equivalent_diameter": "Ø", "area": "Area", "circularity": "Circ.", "solidity": "Solidity"}
COLUMNS = {column.name: column for column in MEASUREMENTS if column.name in SHOWN}
BORDER = "touches the image's border: it may be cut off"


def payload(
    *, width: int, height: int, spheroids: Sequence[Spheroid], um_per_px: float | None
) -> dict[str, Any]:
    """Return what the browser draws: outlines in pixels, and texts ready to show."""
    return {
        "width": width,
        "height": height,
        "umPerPx": um_per_px,
        "columns": [_header(name, um_per_px) for name in SHOWN],
        "objects": [_object(spheroid, um_per_px) for spheroid in spheroids],
    }


def _header(name: str, um_per_px: float | None) -> dict[str, str]:
    column = COLUMNS[name]
    unit = fmt.unit(column.dimension, um_per_px)
    return {"label": SHOWN[name], "unit": unit, "title": f"{column.label}: {column.formula}"}


def _object(spheroid: Spheroid, um_per_px: float | None) -> dict[str, Any]:
    diameter = fmt.length(spheroid.measurements.get("equivalent_diameter"), um_per_px)
    border = bool(spheroid.measurements.get("touches_border"))
    return {
        "number": spheroid.number,
        "rings": [_flat(ring) for ring in (spheroid.contour.outer, *spheroid.contour.holes)],
        "title": f"Spheroid {spheroid.number}, Ø {diameter}" + (f", {BORDER}" if border else ""),
        "border": border,
        "cells": [_cell(spheroid, name, um_per_px) for name in SHOWN],
        "flags": _flags(spheroid, border),
    }


def _cell(spheroid: Spheroid, name: str, um_per_px: float | None) -> dict[str, str]:
    value = spheroid.measurements.get(name)
    text = fmt.three_digits(fmt.scaled(value, COLUMNS[name].dimension, um_per_px))
    why = spheroid.reasons.get(name, "could not be computed") if text == fmt.UNKNOWN else ""
    return {"text": text, "title": why}


def _flags(spheroid: Spheroid, border: bool) -> list[dict[str, str]]:
    flags = []
    if doubtful(spheroid.confidence):
        title = f"Expected overlap with a person's outline: {fmt.three_digits(spheroid.confidence)}"
        flags.append({"text": "look at this", "title": title, "kind": "warn"})
    if border:
        flags.append({"text": "border", "title": BORDER.capitalize(), "kind": "warn"})
    holes = int(spheroid.measurements.get("n_holes") or 0)
    if holes:
        text = "1 hole" if holes == 1 else f"{fmt.count(holes)} holes"
        flags.append({"text": text, "title": "Taken out of the area", "kind": "note"})
    return flags


def _flat(ring: Ring) -> list[float]:
    """Flatten to x, y, x, y; a hundredth of a pixel is finer than any screen shows."""
    return [round(float(value), 2) for point in ring for value in point]
