"""The audit: who did what and when. Rows are added and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.accounts.principal import Principal
from core.clock import utc_now
from core.db import Database

ROWS_PER_READ = 500  # rows read at a time for an export
MAX_CHARACTERS = 300


class Action(StrEnum):
    """Kinds of recorded actions; the values are what people read."""

    SIGNED_IN = "signed in"
    SIGN_IN_REFUSED = "sign-in refused"
    SIGNED_OUT = "signed out"
    CREATED = "created"
    UPLOADED = "uploaded"
    SEGMENTED = "segmented"
    CORRECTED = "corrected"
    REVIEWED = "reviewed"
    TOOK_REVIEW_BACK = "took a review back"
    GAVE_SECOND_OPINION = "gave a second opinion"
    CHANGED_SETTINGS = "changed settings"
    EXPORTED = "exported"
    DELETED = "deleted"
    RESTORED = "restored"
    CHANGED_ACCESS = "changed access"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act. ``project`` is its name now, None where it was of none or is gone for good."""

    sequence: int
    done_at: datetime
    name: str
    action: str
    project: str | None
    subject: str
    address: str


class Audit:
    """Adds rows, and reads them from the newest. Methods may be called from any thread."""

    def __init__(self, db: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._db = db
        self._now = now

    def add(
        self, principal: Principal, action: Action, subject: str = "", project_id: str | None = None
    ) -> None:
        """Record what somebody did, and wait until it is stored."""
        values = {
            "done_at": self._now(),
            "account_id": principal.account_id,
            "name": principal.name,
            "action": action.value,
            "project_id": project_id,
            "subject": subject[:MAX_CHARACTERS],
            "address": principal.address,
        }
        self._db.write(lambda session: session.rows("audit.add", values))

    def page(
        self, limit: int, before: int | None = None, action: str | None = None, name: str | None = None
    ) -> tuple[AuditRow, ...]:
        """Return the newest rows, or those before the one numbered ``before``; ``name`` is part of one."""
        values = {"limit": limit, "before": before, "action": action, "name": name}
        with self._db.read() as session:
            return tuple(AuditRow(**row) for row in session.rows("audit.page", values))

    def everything(self) -> Iterator[AuditRow]:
        """Yield every row, the newest first."""
        before: int | None = None
        while rows := self.page(ROWS_PER_READ, before):
            yield from rows
            before = rows[-1].sequence
