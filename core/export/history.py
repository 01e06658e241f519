"""The history of corrections in an archive: who changed what of which image, as CSV and as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain

from core.export.archive import ExportContext
from core.listing.csv_table import CsvTable
from core.store.correction_audit import CorrectionAuditRow

HEADER = ("path", "sequence", "changed_at", "who", "action", "facts", "previous_hash", "hash")


def add_history(context: ExportContext, changes: Iterable[tuple[str, CorrectionAuditRow]]) -> None:
    """Add ``history.csv`` and ``history.json``, an object a line; nothing where nobody changed anything."""
    rows = iter(changes)
    if (first := next(rows, None)) is None:
        return
    files = context.text("history.csv"), context.text("history.json")
    table, lines = CsvTable(HEADER, files[0]), files[1]
    for change in chain([first], rows):
        row = _cells(*change)
        table.write(row)
        facts = json.loads(str(row["facts"]))
        lines.write(json.dumps({**row, "facts": facts}, ensure_ascii=False) + "\n")
    for file in files:
        file.flush()
    context.add_from_folder("history.csv")
    context.add_from_folder("history.json")


def _cells(name: str, change: CorrectionAuditRow) -> dict[str, str | int]:
    return {
        "path": name,
        "sequence": change.sequence,
        "changed_at": change.changed_at.isoformat() + "Z",
        "who": change.who,
        "action": change.action,
        "facts": change.facts,
        "previous_hash": change.previous_hash,
        "hash": change.hash,
    }
