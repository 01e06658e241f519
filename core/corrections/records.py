"""Operations as they are stored, and back."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import orjson

from core.corrections.drafts import Entry
from core.corrections.operations import Change, Tool
from core.corrections.regions import Region, iou
from core.store.corrections import NewOperation


def stored(entry: Entry, base_revision: int) -> NewOperation:
    """An operation as the store takes it, with what the audit says of it.

    ``base_revision``: the last operation that the author had seen.
    """
    facts: dict[str, Any] = {
        "tool": entry.tool.value,
        "revision": entry.revision,
        "base_revision": base_revision,
    }
    facts |= {"ms": entry.ms, "objects": [_facts(change) for change in entry.changes]}
    return NewOperation(
        revision=entry.revision,
        op_id=entry.op_id,
        author=entry.author,
        tool=entry.tool.value,
        ms=entry.ms,
        digest=entry.digest,
        created_at=entry.created_at,
        changes=orjson.dumps([change.to_json() for change in entry.changes]).decode(),
        facts=facts,
    )


def entry_of(row: dict[str, Any]) -> Entry:
    """An operation of a row of the table."""
    changes = tuple(Change.from_json(item) for item in orjson.loads(row["changes"]))
    names = ("revision", "op_id", "author", "created_at", "ms", "digest")
    return Entry(**{name: row[name] for name in names}, tool=Tool(row["tool"]), changes=changes)


def _facts(change: Change) -> dict[str, Any]:
    """What the audit says of one object; its overlap and its diameter where it was there and still is."""
    before, after = change.before, change.after
    facts: dict[str, Any] = {"number": change.number, "before": _hash(before), "after": _hash(after)}
    if change.parents:
        facts["parents"] = list(change.parents)
    if before is None or after is None:
        return facts
    diameters = (math.sqrt(4 * region.area / math.pi) for region in (before, after))
    facts |= dict(zip(("diameter_before_px", "diameter_after_px"), diameters, strict=True))
    return facts | {"iou": iou(before, after)}


def _hash(region: Region | None) -> str | None:
    return None if region is None else hashlib.sha256(orjson.dumps(region.to_json())).hexdigest()
