"""Operations as they are stored, and back."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from core.corrections.drafts import Entry
from core.corrections.operations import Change, Tool
from core.corrections.regions import Region
from core.store.corrections import NewOperation


def stored(entry: Entry) -> NewOperation:
    """An operation as the store takes it, with what the audit says of it."""
    objects = [
        {"number": item.number, "before": _hash(item.before), "after": _hash(item.after)}
        for item in entry.changes
    ]
    return NewOperation(
        revision=entry.revision,
        op_id=entry.op_id,
        author=entry.author,
        tool=entry.tool.value,
        ms=entry.ms,
        digest=entry.digest,
        created_at=entry.created_at,
        changes=orjson.dumps([change.to_json() for change in entry.changes]).decode(),
        facts={"tool": entry.tool.value, "revision": entry.revision, "ms": entry.ms, "objects": objects},
    )


def entry_of(row: dict[str, Any]) -> Entry:
    """An operation of a row of the table."""
    changes = tuple(Change.from_json(item) for item in orjson.loads(row["changes"]))
    names = ("revision", "op_id", "author", "created_at", "ms", "digest")
    return Entry(**{name: row[name] for name in names}, tool=Tool(row["tool"]), changes=changes)


def _hash(region: Region | None) -> str | None:
    return None if region is None else hashlib.sha256(orjson.dumps(region.to_json())).hexdigest()
