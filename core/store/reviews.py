"""What people say of results: every word in a table, the latest also on the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.db import Database, Row, Session
from core.errors import NotFound
from core.models import ReviewState
from core.store.correction_audit import Action, record
from core.store.versions import conflict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person says of a result; ``at_random``: whether the image was drawn to estimate accuracy."""

    state: ReviewState
    reason: str | None
    reviewed_by: str
    reviewed_at: datetime
    at_random: bool


class ReviewStore:
    """The table of reviews, and the columns of images that follow from it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, image_id: str, version_id: str | None, judgement: Judgement) -> None:
        """Save what a person says of the result in force.

        Raises:
            VersionConflict: not ``version_id`` but another version is in force by now.
            NotFound: the image is gone.
        """

        def work(session: Session) -> None:
            row = session.one("results.in_force", {"image_id": image_id})
            if row is None or row["deleted"]:
                raise NotFound("This image does not exist, or has been deleted.")
            if row["version_id"] != version_id:
                raise conflict(session, row["version_id"])
            add_review(session, image_id, version_id, judgement)
            session.rows("images.set_review", {"image_id": image_id, **_columns(judgement)})
            facts = {"state": judgement.state.value, "reason": judgement.reason, "version": version_id}
            record(session, judgement.reviewed_by, image_id, Action.REVIEWED, facts)

        self._db.write(work)

    def waiting(self, project_id: str) -> list[Row]:
        """Images with a result that nobody has looked at, or of which somebody was unsure."""
        return self._rows("reviews.waiting", project_id)

    def progress(self, project_id: str) -> dict[ReviewState, int]:
        """How many images with a result have each state."""
        rows = self._rows("reviews.progress", project_id)
        return dict.fromkeys(ReviewState, 0) | {ReviewState(row["review"]): row["total"] for row in rows}

    def judged(self, project_id: str) -> list[Row]:
        """The last word on each automatic result of the images that were drawn at random."""
        return self._rows("reviews.judged", project_id)

    def _rows(self, name: str, project_id: str) -> list[Row]:
        with self._db.read() as session:
            return session.rows(name, {"project_id": project_id})


def add_review(
    session: Session,
    image_id: str,
    version_id: str | None,
    judgement: Judgement,
    corrected: Sequence[str] = (),
) -> None:
    """Add a row within a transaction of the caller's; ``corrected`` is the version that a correction made."""
    values = {"image_id": image_id, "version_id": version_id, "corrected_id": next(iter(corrected), None)}
    session.rows("reviews.add", values | _columns(judgement) | {"at_random": judgement.at_random})


def _columns(judgement: Judgement) -> Row:
    names = ("reason", "reviewed_by", "reviewed_at")
    return {"state": judgement.state.value} | {name: getattr(judgement, name) for name in names}
