"""Second opinions in an archive: drawings by people who did not see the outlines, as CSV and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import median

from core.db import Row
from core.export.archive import ExportContext
from core.listing.csv_table import CsvTable

COPIED = (
    *("id", "image_id", "version_id", "judged_by", "drawn_by", "drawn_at", "seconds", "same_person"),
    *("at_random", "n_drawn", "n_either", "engine_version_id", "engine_n_either", "sha256"),
)
# Numbers and medians of the spheroids that are in both drawings; the JSON file has a value for each.
FIGURES = ("n_both", "iou", "diameter_change", "engine_n_both", "engine_iou", "engine_diameter_change")
LISTS = ("ious", "diameter_changes", "engine_ious", "engine_diameter_changes")
HEADER = ("path", *COPIED, *FIGURES)


def add_second_opinions(context: ExportContext, drawings: Sequence[Row]) -> None:
    """Add ``second_opinions.csv``, and ``.json`` with the outlines, an object a line; nothing without any."""
    if not drawings:
        return
    files = context.text("second_opinions.csv"), context.text("second_opinions.json")
    table = CsvTable(HEADER, files[0])
    for drawing in drawings:
        copied = {"path": drawing["name"]} | {name: drawing[name] for name in COPIED}
        table.write(copied | _figures(drawing))
        lists = {name: drawing[name] for name in LISTS}
        line = copied | lists | {"outlines": json.loads(drawing["outlines"])}
        line["drawn_at"] = drawing["drawn_at"].isoformat() + "Z"
        files[1].write(json.dumps(line, ensure_ascii=False) + "\n")
    for file in files:
        file.flush()
    context.add_from_folder("second_opinions.csv")
    context.add_from_folder("second_opinions.json")


def _figures(drawing: Row) -> dict[str, float | int | None]:
    by_engine = drawing["engine_ious"]
    return {
        "n_both": len(drawing["ious"]),
        "iou": _median(drawing["ious"]),
        "diameter_change": _median(drawing["diameter_changes"]),
        "engine_n_both": None if by_engine is None else len(by_engine),
        "engine_iou": _median(by_engine),
        "engine_diameter_change": _median(drawing["engine_diameter_changes"]),
    }


def _median(values: Sequence[float] | None) -> float | None:
    return median(values) if values else None
