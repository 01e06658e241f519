"""The audit of what people changed of results: rows in a chain of hashes, added and never changed.

Each row's hash is of its values and of the hash of the row before it. Whoever can write the database can
write the whole chain anew; so note its last hash elsewhere now and then (``head``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.clock import utc_now
from core.db import Database, Session

FIRST_HASH = "0" * 64
ROWS_PER_READ = 5000


class CorrectionAction(StrEnum):
    """Kinds of changes that people make to the result of an image."""

    CHANGED = "changed"  # one gesture, at some of its spheroids
    CORRECTED = "corrected"  # finished, as a version
    DISCARDED = "discarded"  # gave a draft up
    REOPENED = "reopened"  # took a discarded draft up again
    CHOSE = "chose"  # put another version in force
    REVIEWED = "reviewed"
    IMPORTED = "imported"
    SECOND_OPINION = "second opinion"  # drew an image without seeing its outlines


@dataclass(frozen=True, slots=True)
class CorrectionAuditRow:
    """One change. ``facts``: what else is known of it, by name, as JSON text with its keys in order."""

    sequence: int
    changed_at: datetime
    who: str
    image_id: str
    action: str
    facts: str
    previous_hash: str
    hash: str

    @property
    def expected_hash(self) -> str:
        """The hash that the row has if nobody has changed it."""
        values = [
            self.sequence,
            self.changed_at.isoformat(),
            self.who,
            self.image_id,
            self.action,
            self.facts,
        ]
        text = json.dumps([*values, self.previous_hash], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verified:
    """Result of checking the chain: its length, its last hash, and the first wrong row, if there is one."""

    rows: int
    head: str
    wrong: int | None = None


def record(
    session: Session, who: str, image_id: str, action: CorrectionAction, facts: Mapping[str, Any]
) -> None:
    """Add a row within a transaction of the caller's, which the writer thread runs: one at a time."""
    last_entry = session.one("corrections.last_audit")
    sequence, previous = (last_entry["sequence"] + 1, last_entry["hash"]) if last_entry else (1, FIRST_HASH)
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    row = CorrectionAuditRow(sequence, utc_now(), who, image_id, action.value, text, previous, "")
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    session.rows("corrections.add_audit", values | {"hash": row.expected_hash})


class CorrectionAudit:
    """Reads the audit. Rows are added by ``record``, together with the change itself."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of_image(self, image_id: str) -> tuple[CorrectionAuditRow, ...]:
        """Every change of an image, the first one first."""
        return tuple(self._rows("corrections.audit", {"image_id": image_id}))

    def page_of_image(
        self, image_id: str, limit: int, offset: int = 0
    ) -> tuple[tuple[CorrectionAuditRow, ...], int]:
        """Return some changes of an image, the last one first, and how many there are in all."""
        values = {"image_id": image_id, "limit": limit, "offset": offset}
        with self._db.read() as session:
            rows = session.rows("corrections.audit_page", values)
            total = session.rows("corrections.audit_count", {"image_id": image_id})[0]["total"]
        return tuple(CorrectionAuditRow(**row) for row in rows), total

    def of_project(
        self, project_id: str, image_ids: Sequence[str] | None = None
    ) -> Iterator[tuple[str, CorrectionAuditRow]]:
        """Yield every change of a project's images, or of some, with the image's name, in order."""
        values = {"project_id": project_id, "ids": None if image_ids is None else list(image_ids)}
        for row in self._raw("corrections.audit_of_project", values):
            yield row.pop("image_name"), CorrectionAuditRow(**row)

    def verify(self) -> Verified:
        """Read the whole chain and check every hash."""
        sequence, previous = 0, FIRST_HASH
        for row in self._rows("corrections.audit", {"image_id": None}):
            sequence += 1
            if (row.sequence, row.previous_hash, row.hash) != (sequence, previous, row.expected_hash):
                return Verified(sequence - 1, previous, row.sequence)
            previous = row.hash
        return Verified(sequence, previous)

    def _rows(self, name: str, values: dict[str, Any]) -> Iterator[CorrectionAuditRow]:
        for row in self._raw(name, values):
            yield CorrectionAuditRow(**row)

    def _raw(self, name: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        after = 0
        while True:
            with self._db.read() as session:
                rows = session.rows(name, values | {"after": after, "limit": ROWS_PER_READ})
            if not rows:
                return
            after = rows[-1]["sequence"]
            yield from rows
