"""What people say of results: every word in a table, the latest also on the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import InvalidRequest
from core.models import ReviewState, VersionKind
from core.store.correction_audit import CorrectionAction, record
from core.store.versions import require_in_force, result_facts

REVERSIBLE_STATES = (
    ReviewState.RIGHT,
    ReviewState.EXCLUDED,
    ReviewState.UNSURE,
)  # a correction is another version


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, with who gave it and when. ``at_random``: whether the image was drawn to estimate accuracy.

    ``seconds``: how long they have looked at it, None where that is not known.
    """

    state: ReviewState
    reason: str | None
    reviewed_by: str
    reviewed_at: datetime
    at_random: bool
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ReviewEffort:
    """How many results people have looked at, and the seconds that looking and correcting took them."""

    looked_at: int
    right: int
    corrected: int
    seconds: float

    @property
    def edit_rate(self) -> float | None:
        """Share of the results that were corrected, among those that are right now; None without any."""
        n = self.right + self.corrected
        return self.corrected / n if n else None


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """By what images that wait are ordered; core.corrections.review_order has the values."""

    random_share: int
    doubtful_below: float
    blurred: float
    many_specks: int
    specks_times: float


@dataclass(frozen=True, slots=True)
class FirstOf:
    """Which images that wait are asked for: ``most`` of those drawn at random, and of the others.

    Those of ``ids`` are among them, if they wait. Those of which ``but_unsure_of`` was unsure do not count,
    but for ``named``.
    """

    most: int
    ids: Sequence[str] = ()
    named: str | None = None
    but_unsure_of: str | None = None


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
            require_in_force(session, image_id, version_id)
            add_review(session, image_id, version_id, judgement)
            session.rows("images.set_review", {"image_id": image_id, **_columns(judgement)})
            facts: Row = {"state": judgement.state.value, "reason": judgement.reason}
            facts |= {"seconds": judgement.seconds}
            facts |= result_facts(session, version_id)
            record(session, judgement.reviewed_by, image_id, CorrectionAction.REVIEWED, facts)

        self._db.write(work)

    def take_back(self, image_id: str, version_id: str | None, who: str) -> None:
        """Take back the last thing that ``who`` has said of the result in force; what was said before holds.

        Raises:
            VersionConflict: not ``version_id`` but another version is in force by now.
            InvalidRequest: the last word is somebody else's, or a correction.
            NotFound: the image is gone.
        """

        def work(session: Session) -> None:
            require_in_force(session, image_id, version_id)
            of_version = {"image_id": image_id, "version_id": version_id}
            last, before = _last_two(session, of_version)
            if last is None or last["reviewed_by"] != who or last["state"] not in REVERSIBLE_STATES:
                raise InvalidRequest(
                    "This was not taken back: somebody has said something else of the image since."
                )
            session.rows("images.set_review", {"image_id": image_id, **before})
            row = before | {"reviewed_by": before["reviewed_by"] or who, "reviewed_at": utc_now()}
            row |= {"at_random": last["at_random"], "corrected_id": None, "seconds": None}
            session.rows("reviews.add", row | of_version)
            facts: Row = {"state": before["state"], "taken_back": last["state"]}
            facts |= result_facts(session, version_id)
            record(session, who, image_id, CorrectionAction.REVIEWED, facts)

        self._db.write(work)

    def waiting(self, project_id: str, person: str = "", since: datetime | None = None) -> list[Row]:
        """Images with a result that nobody has looked at, or of which somebody was unsure.

        Where ``since`` is given, without those whose correction another than ``person`` has changed after it.
        """
        values = {"project_id": project_id, "person": person, "since": since}
        with self._db.read() as session:
            return session.rows("reviews.waiting", values)

    def first_waiting(self, project_id: str, rule: ReviewOrder, asked: FirstOf) -> tuple[list[Row], int]:
        """The first images that wait, in no order, and how many wait in all."""
        values = {"project_id": project_id, **asdict(rule), **asdict(asked)}
        with self._db.read() as session:
            rows = session.rows("reviews.first_waiting", values)
        return rows, rows[0]["total"] if rows else 0

    def progress(self, project_id: str) -> dict[ReviewState, int]:
        """How many images with a result have each state."""
        rows = self._rows("reviews.progress", project_id)
        return dict.fromkeys(ReviewState, 0) | {ReviewState(row["review"]): row["total"] for row in rows}

    def effort(self, project_id: str | None, since: datetime | None = None) -> ReviewEffort:
        """How much has been reviewed of a project, or of all, and how long that took."""
        with self._db.read() as session:
            values = {"project_id": project_id, "since": since}
            return ReviewEffort(**session.rows("reviews.effort", values)[0])

    def judged(self, project_id: str | None) -> list[Row]:
        """The last word on each automatic result of the images drawn at random, of a project or of all."""
        return self._rows("reviews.judged", project_id)

    def _rows(self, name: str, project_id: str | None) -> list[Row]:
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
    values: Row = {"image_id": image_id, "version_id": version_id}
    values["corrected_id"] = next(iter(corrected), None)
    values |= {"at_random": judgement.at_random, "seconds": judgement.seconds}
    session.rows("reviews.add", values | _columns(judgement))


def _last_two(session: Session, of_version: Row) -> tuple[Row | None, Row]:
    """The last word on a version, and what an image's columns were before it."""
    rows = session.rows("reviews.last_of", of_version)
    before = {"state": "unseen", "reason": None, "reviewed_by": None, "reviewed_at": None}
    if len(rows) > 1 and rows[1]["state"] != ReviewState.UNSEEN:
        before = {name: rows[1][name] for name in before}
    elif len(rows) == 1 and rows[0]["kind"] == VersionKind.CORRECTED:
        before |= {"state": "corrected", "reviewed_by": rows[0]["author"], "reviewed_at": rows[0]["made_at"]}
    return (rows[0] if rows else None), before


def _columns(judgement: Judgement) -> Row:
    names = ("reason", "reviewed_by", "reviewed_at")
    return {"state": judgement.state.value} | {name: getattr(judgement, name) for name in names}
