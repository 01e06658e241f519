"""Drafts of corrections: operations stored one by one, ended as a version or discarded."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import InvalidRequest, NotFound, ObjectConflict
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


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A draft that nobody has ended: whose gestures it has, the first ones first, and how many."""

    authors: tuple[str, ...]
    began_at: datetime
    changed_at: datetime
    n_changes: int
    revision: int


@dataclass(frozen=True, slots=True)
class DiscardedDraft:
    """A draft that was given up: whose gestures it has, the first ones first, and how many."""

    id: str
    authors: tuple[str, ...]
    began_at: datetime
    n_changes: int
    discarded_by: str
    discarded_at: datetime


@dataclass(frozen=True, slots=True)
class EndedDraft:
    """A draft that has been discarded, or else finished."""

    draft_id: str
    discarded: bool
    ended_by: str
    ended_at: datetime


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

    def unfinished(self, image_id: str) -> Unfinished | None:
        """What is known of the draft of an image that has not ended, without what it changes."""
        with self._db.read() as session:
            row = session.one("corrections.unfinished", {"image_id": image_id})
        if row is None or not row["n_changes"]:
            return None
        return Unfinished(**row | {"authors": tuple(dict.fromkeys(row["authors"]))})

    def changed_by_others(self, project_id: str, person: str, since: datetime) -> frozenset[str]:
        """Ids of a project's images whose open draft another person has changed since a moment."""
        values = {"project_id": project_id, "person": person, "since": since}
        with self._db.read() as session:
            rows = session.rows("corrections.changed_by_others", values)
        return frozenset(row["image_id"] for row in rows)

    def last_revision(self, image_id: str, but: str | None = None) -> int:
        """The last revision of an image's drafts, ended ones too; without that of the draft ``but``."""
        with self._db.read() as session:
            return _last_revision(session, image_id, but)

    def ended(self, image_id: str, revision: int) -> ObjectConflict:
        """Return the error that the draft with a revision has been ended, in words that say by whom."""
        with self._db.read() as session:
            row = session.one("corrections.ended", {"image_id": image_id, "revision": revision})
        if row is None:
            return ObjectConflict("This correction is not there any more. Load the image again.")
        ended = EndedDraft(row["id"], row["discarded"], row["ended_by"], row["ended_at"])
        act = "discarded" if ended.discarded else "finished"
        error = ObjectConflict(f"This correction has been {act} by {ended.ended_by}.")
        error.ended = ended
        return error

    def discarded(self, image_id: str) -> tuple[DiscardedDraft, ...]:
        """The discarded drafts of an image whose version is still there, the latest first."""
        with self._db.read() as session:
            rows = session.rows("corrections.discarded", {"image_id": image_id})
        return tuple(
            DiscardedDraft(**row | {"authors": tuple(dict.fromkeys(row["authors"]))}) for row in rows
        )

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
            if _last_revision(session, image_id) + 1 != operation.revision:
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
        """End a draft without a version; its operations stay stored, and ``reopen`` goes on with them."""

        def work(session: Session) -> None:
            end_draft(session, draft_id, None)
            record(session, who, image_id, CorrectionAction.DISCARDED, {"draft": draft_id})

        self._db.write(work)

    def reopen(self, image_id: str, draft_id: str, who: str) -> None:
        """Take a discarded draft up again.

        Raises:
            ObjectConflict: another draft of the image is open.
            NotFound: it is no discarded draft of this image, or the image is gone.
            InvalidRequest: the version that it corrects has been deleted.
        """

        def work(session: Session) -> None:
            if session.one("corrections.open", {"image_id": image_id}):
                raise ObjectConflict("Another correction of this image is open. Finish or discard it first.")
            row = session.one("corrections.to_reopen", {"id": draft_id, "image_id": image_id})
            if row is None:
                raise NotFound("There is no such discarded correction of this image.")
            if not row["has_parent"]:
                raise InvalidRequest(
                    "The result that it corrects has been deleted, so it cannot be taken up again."
                )
            session.rows("corrections.reopen", {"id": draft_id})
            record(session, who, image_id, CorrectionAction.REOPENED, {"draft": draft_id})

        self._db.write(work)


def _last_revision(session: Session, image_id: str, but: str | None = None) -> int:
    row = session.rows("corrections.last_revision", {"image_id": image_id, "but": but})[0]
    return int(row["revision"])


def end_draft(session: Session, draft_id: str, version_id: str | None) -> None:
    """End a draft within a transaction of the caller's.

    Raises:
        ObjectConflict: it has ended already.
    """
    values = {"id": draft_id, "version_id": version_id, "now": utc_now()}
    if not session.rows("corrections.end", values)[0]["Count"]:
        raise ObjectConflict("This correction has been finished meanwhile. Load the image again.")
