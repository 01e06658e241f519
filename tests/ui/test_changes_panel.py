"""What people changed of a result, in words."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from core.store.correction_audit import CorrectionAuditRow
from core.ui.changes_panel import words
from core.ui.format import GAP

BRUSHED: dict[str, Any] = {"number": 3, "before": "a", "after": "b", "iou": 0.934}
BRUSHED |= {"diameter_before_px": 82.14, "diameter_after_px": 85.26}


def row(action: str, **facts: Any) -> CorrectionAuditRow:
    return CorrectionAuditRow(1, datetime(2026, 3, 1), "ada", "i", action, json.dumps(facts), "", "")


CUT: list[dict[str, Any]] = [{"number": 1, "before": "a", "after": "b"}]
CUT += [{"number": 4, "before": None, "after": "c", "parents": [1]}]
DELETED = [{"number": 2, "before": "a", "after": None}]
EFFORT: dict[str, Any] = {"n_objects": 2, "reason": "debris", "parent_iou": 0.5, "seconds_worked": 75.0}
EFFORT_WORDS = "2 spheroids, overlap 0.50, 1:15 min of work. Reason: debris"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            row("changed", tool="brush", objects=[BRUSHED]),
            "Brush: spheroid 3, diameter 164 µm → 171 µm, overlap 0.93",
        ),
        (row("changed", tool="cut", objects=CUT), "Cut: spheroid 1; spheroid 4 is new, made from 1"),
        (row("changed", tool="delete", objects=DELETED), "Delete: spheroid 2 deleted"),
        (row("corrected", **EFFORT), f"Finished a correction: {EFFORT_WORDS}"),
        (row("imported", n_objects=1, source="a.zip", reason=""), "Imported 1 outline from a.zip"),
        (row("chose", version="gone", before=None), "Went back to another result"),
        (row("reviewed", state="right", reason=None, version="v"), "Reviewed: right"),
        (
            row("second opinion", n_drawn=2),
            "Drew a second opinion without seeing the outlines: 2 spheroids",
        ),
        (row("discarded", draft="d"), "Discarded the correction"),
        (row("of a later version"), "Of a later version"),
    ],
)
def test_a_change_is_said_in_words(change: CorrectionAuditRow, text: str) -> None:
    assert words(change, 2.0).replace(GAP, " ") == text
