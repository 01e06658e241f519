"""Second opinions: images that another person has drawn again without seeing their outlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from core.db import Database, Row, Session
from core.errors import InvalidRequest, NotFound
from core.store.correction_audit import CorrectionAction, record


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """One drawing, and how it agrees with the result that somebody had judged.

    ``outlines``: JSON of every spheroid's pixels; ``sha256`` is of that text. It has ``n_drawn`` spheroids;
    ``n_either`` are in it or in the result. ``ious`` and ``diameter_changes`` have a value for each in both.
    Those of the engine compare with its own result, and are None where there was none.
    """

    id: str
    image_id: str
    version_id: str
    judged_by: str
    drawn_by: str
    drawn_at: datetime
    seconds: float | None
    same_person: bool
    at_random: bool
    outlines: str
    sha256: str
    n_drawn: int
    n_either: int
    ious: tuple[float, ...]
    diameter_changes: tuple[float, ...]
    engine_version_id: str | None = None
    engine_n_either: int | None = None
    engine_ious: tuple[float, ...] | None = None
    engine_diameter_changes: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class StoredOpinion:
    """What is stored of a drawing, in short."""

    id: str
    drawn_by: str
    drawn_at: datetime
    n_drawn: int
    sha256: str


class SecondOpinionStore:
    """The table of second opinions. Rows are added and never changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def candidates(self, project_id: str) -> list[Row]:
        """Images that a person has judged, or drawn again, by id.

        Rows have ``id``, ``name``, ``version_id`` and the names ``seen_by`` and ``drawn_by``.
        """
        return self._rows("second_opinions.candidates", {"project_id": project_id})

    def seen_by(self, image_id: str) -> frozenset[str]:
        """Names of those who have judged or corrected results of an image."""
        rows = self._rows("second_opinions.seen_by", {"image_id": image_id})
        return frozenset(row["person"] for row in rows)

    def of_image(self, image_id: str) -> tuple[StoredOpinion, ...]:
        """Every drawing of an image."""
        return tuple(
            StoredOpinion(**row) for row in self._rows("second_opinions.of_image", {"image_id": image_id})
        )

    def judged_by(self, image_id: str, version_id: str) -> str:
        """Who has called a version of an image right, or has made it.

        Raises:
            InvalidRequest: nobody has, or there is no such version of it.
        """
        values = {"image_id": image_id, "version_id": version_id}
        rows = self._rows("second_opinions.judged", values)
        if not rows:
            raise InvalidRequest(
                "Only a result that somebody has called right or corrected can be compared with. "
                "Take another image."
            )
        return str(rows[0]["judged_by"])

    def add(self, opinion: SecondOpinion) -> StoredOpinion:
        """Save a drawing, and record it in the history of corrections; one of the same id is saved once.

        Raises:
            InvalidRequest: the same person has drawn this image before.
            NotFound: the image is gone.
        """

        def work(session: Session) -> StoredOpinion:
            image = session.one("results.in_force", {"image_id": opinion.image_id})
            if image is None or image["deleted"]:
                raise NotFound("This image does not exist, or has been deleted.")
            known = session.rows("second_opinions.of_image", {"image_id": opinion.image_id})
            for row in known:
                if row["id"] == opinion.id:
                    return StoredOpinion(**row)
                if row["drawn_by"] == opinion.drawn_by and not opinion.same_person:
                    raise InvalidRequest("You have drawn this image already; one drawing a person counts.")
            values = asdict(opinion)
            session.rows("second_opinions.add", values | {name: _listed(values[name]) for name in _LISTS})
            record(
                session, opinion.drawn_by, opinion.image_id, CorrectionAction.SECOND_OPINION, _facts(opinion)
            )
            return StoredOpinion(
                opinion.id, opinion.drawn_by, opinion.drawn_at, opinion.n_drawn, opinion.sha256
            )

        return self._db.write(work)

    def figures(self, project_id: str | None) -> list[Row]:
        """What every drawing of a project, or of all, says of agreement; its outlines are left out."""
        return self._rows("second_opinions.figures", {"project_id": project_id})

    def of_project(self, project_id: str, image_ids: Sequence[str] | None = None) -> list[Row]:
        """Every drawing of a project's images, or of some, with its outlines and the image's name."""
        ids = None if image_ids is None else list(image_ids)
        return self._rows("second_opinions.of_project", {"project_id": project_id, "ids": ids})

    def _rows(self, name: str, values: Row) -> list[Row]:
        with self._db.read() as session:
            return session.rows(name, values)


_LISTS = ("ious", "diameter_changes", "engine_ious", "engine_diameter_changes")


def _listed(values: tuple[float, ...] | None) -> list[float] | None:
    return None if values is None else list(values)


def _facts(opinion: SecondOpinion) -> dict[str, object]:
    """What the history says of a drawing."""
    names = ("version_id", "judged_by", "same_person", "seconds", "n_drawn", "n_either", "sha256")
    facts: dict[str, object] = {name: getattr(opinion, name) for name in names}
    return facts | {"ious": list(opinion.ious), "id": opinion.id}
