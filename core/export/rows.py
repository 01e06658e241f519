"""Rows of the exported tables, made from rows of the database; columns as in ``core.listing.columns``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core import __version__
from core.listing import columns
from core.models import Contour, Dimension, Spheroid
from core.store.rows import measurements_of


def object_row(row: Mapping[str, Any]) -> columns.ExportRow:
    """Row of the spheroids' table; ``row`` joins an object with its image's name and its engine."""
    # The outline is in no table, and parsing it would take longer than all the rest.
    spheroid = Spheroid(row["number"], Contour(()), measurements_of(row), json.loads(row["reasons"]))
    return {
        "path": row["name"],
        "object": spheroid.number,
        **columns.measurement_cells(spheroid.measurements, row["um_per_px"]),
        "confidence": row["confidence"],
        "reasons": columns.reasons_text(spheroid),
        "engine": row["engine"],
        "engine_version": row["engine_version"],
        "spheroscope_version": __version__,
    }


def image_row(row: Mapping[str, Any]) -> columns.ExportRow:
    """Row of the images' table; ``row`` joins an image with its result's engine. Its files are left out."""
    same = (name for name in columns.IMAGE_COLUMNS if name in row and name != "params")
    largest = row["largest_diameter_px"]
    return {
        **{name: row[name] for name in same},
        "path": row["name"],
        "largest_equivalent_diameter": largest,
        "largest_equivalent_diameter_um": columns.scaled(largest, Dimension.LENGTH, row["um_per_px"]),
        "params": _params_text(row["params"]),
        "spheroscope_version": __version__,
    }


def _params_text(stored: str | None) -> str | None:
    return None if stored is None else json.dumps(json.loads(stored), sort_keys=True, ensure_ascii=False)
