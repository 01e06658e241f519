"""Drafts of corrections: operations stored one by one, ended as a version or discarded."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import ObjectConflict
from core.store.correction_audit import CorrectionAction, record
from core.store.versions import require_in_force, result_facts


@dataclass(frozen=True, slots=True)
class NewOperation:
    """One gesture to store. ``changes`` is JSON; ``facts`` go into the audit."""

    revision: int
    op_id: str
    author: str
    tool: str
    ms: int
    digest: str
    created_at: datetime
    changes: str
    facts: Mapping[str, Any]


class CorrectionStore:
    """The tables of drafts and of their operations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def open_draft(self, image_id: str) -> tuple[Row, list[Row]] | None:
        """The draft of an image that has not ended, and its operations in order; None where there is none."""
        with self._db.read() as session:
            draft = session.one("corrections.open", {"image_id": image_id})
            if draft is None:
                return None
            return draft, session.rows("corrections.operations", {"id": draft["id"]})

    def names(self, project_id: str) -> list[tuple[str, str]]:
        """Id and name of every image of a project."""
        with self._db.read() as session:
            rows = session.rows("corrections.names", {"project_id": project_id})
        return [(row["id"], row["name"]) for row in rows]

    def add_operation(
        self, image_id: str, draft_id: str | None, parent_id: str | None, operation: NewOperation
    ) -> str:
        """Store an operation, and before the first one its draft; return the draft's id once it is on disk.

        Raises:
            ObjectConflict: another operation has been stored meanwhile, or the draft has ended.
            VersionConflict: of a new draft, not ``parent_id`` but another version is in force by now.
            NotFound: the image is gone.
        """
        new_id = draft_id or secrets.token_hex(16)

        def work(session: Session) -> None:
            current = session.one("corrections.open", {"image_id": image_id})
            if (current and current["id"]) != draft_id:
                raise ObjectConflict("This correction has been finished meanwhile. Load the image again.")
            if draft_id is None:
                require_in_force(session, image_id, parent_id)
                values = {
                    "id": new_id,
                    "image_id": image_id,
                    "parent_id": parent_id,
                    "now": operation.created_at,
                }
                session.rows("corrections.begin", values)
            last = session.rows("corrections.revision", {"id": new_id})[0]["revision"]
            if last + 1 != operation.revision:
                raise ObjectConflict("Somebody has changed this image meanwhile. Load it again.")
            values = {
                name: getattr(operation, name)
                for name in ("revision", "op_id", "author", "tool", "ms", "digest", "created_at", "changes")
            }
            session.rows("corrections.add_operation", values | {"correction_id": new_id})
            facts = {**operation.facts, "draft": new_id, **result_facts(session, parent_id)}
            record(session, operation.author, image_id, CorrectionAction.CHANGED, facts)

        self._db.write(work)
        return new_id

    def discard(self, image_id: str, draft_id: str, who: str) -> None:
        """End a draft without a version; its operations stay stored."""

        def work(session: Session) -> None:
            end_draft(session, draft_id, None)
            record(session, who, image_id, CorrectionAction.DISCARDED, {"draft": draft_id})

        self._db.write(work)


def end_draft(session: Session, draft_id: str, version_id: str | None) -> None:
    """End a draft within a transaction of the caller's.

    Raises:
        ObjectConflict: it has ended already.
    """
    values = {"id": draft_id, "version_id": version_id, "now": utc_now()}
    if not session.rows("corrections.end", values)[0]["Count"]:
        raise ObjectConflict("This correction has been finished meanwhile. Load the image again.")
