"""Second opinions: images that another person draws without seeing their outlines, and what that says.

What is drawn is kept beside the results: it replaces none, and is in no table of them.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any

import orjson

from core.clock import utc_now
from core.corrections.agreement import Matches, SecondOpinionFigures, figures, matched
from core.corrections.holds import Holds, Reviewer
from core.corrections.operations import require_apart
from core.corrections.regions import Region
from core.corrections.review_order import drawn_at_random
from core.corrections.source import CorrectionSource
from core.db import Row
from core.errors import InvalidRequest
from core.files.blobs import Blobs
from core.models import Image, Limits, Project, Version, VersionKind
from core.queue.admission import Admission
from core.store import Store
from core.store.recipe import NAMELESS
from core.store.second_opinions import SecondOpinion, StoredOpinion


@dataclass(frozen=True, slots=True)
class ImageToDraw:
    """An image to draw; ``version_id`` is the judged result that the drawing is compared with."""

    image_id: str
    name: str
    version_id: str


@dataclass(frozen=True, slots=True)
class DrawingTurn:
    """The image that somebody is to draw, None where there is none for them.

    Of ``requested`` images ``drawn`` are drawn, and ``left`` can be drawn by this person. Others draw
    ``elsewhere`` now. ``seen`` wait for somebody else, as this person has seen their outlines.
    """

    image: ImageToDraw | None
    requested: int
    drawn: int
    left: int
    elsewhere: int
    seen: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """What somebody drew of an image, without numbers.

    ``key`` is chosen by the client; the same one again adds nothing. ``nothing``: they have said that nothing
    is to be outlined. ``seconds``: how long they worked at it, None where that is not known.
    """

    key: str
    version_id: str
    outlines: Sequence[Region]
    nothing: bool = False
    seconds: float | None = None


class SecondOpinions:
    """Hands out images to draw and takes what people draw. Safe from any thread."""

    def __init__(
        self, store: Store, source: CorrectionSource, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._source = source
        self._holds = Holds(clock)
        self._lock = threading.Lock()

    @classmethod
    def open(cls, store: Store, blobs: Blobs, limits: Limits, admission: Admission) -> SecondOpinions:
        """Return the second opinions of the images of a store."""
        return cls(store, CorrectionSource(store, blobs, limits, admission))

    def turn(
        self,
        project: Project,
        reviewer: Reviewer,
        image_id: str | None = None,
        skipped: frozenset[str] = frozenset(),
    ) -> DrawingTurn:
        """The image that somebody is to draw, held for them for ten minutes.

        It is ``image_id`` if that waits for them, else the one that they have been given already, else the
        next one. Those of ``skipped`` come when there are no others.
        """
        turn, free = self._turn(project, reviewer)
        with self._lock:
            row = self._next(free, reviewer, image_id, skipped)
            if row is not None:
                self._holds.take(row["id"], reviewer)
        image = None if row is None else ImageToDraw(row["id"], row["name"], row["version_id"])
        return replace(turn, image=image)

    def left(self, project: Project, reviewer: Reviewer) -> DrawingTurn:
        """As ``turn``, but nothing is handed out or held."""
        return self._turn(project, reviewer)[0]

    def add(self, image_id: str, drawing: Drawing, author: str) -> StoredOpinion:
        """Keep what somebody has drawn, compared with the result that another person had judged.

        Another result by now changes nothing: what was drawn is compared with the one that was judged.

        Raises:
            InvalidRequest: it is empty and they have not said that nothing is there, or two outlines overlap;
                they have seen the outlines, or drawn the image before; or nobody has judged that result.
            NotFound: there is no such image.
            StorageError: the label image of that result cannot be read.
        """
        image = self._store.images.get(image_id)
        opinion_id = hashlib.sha256(orjson.dumps([image_id, author, drawing.key])).hexdigest()[:32]
        stored = self._store.second_opinions.of_image(image_id)
        if (known := next((item for item in stored if item.id == opinion_id), None)) is not None:
            return known
        _require_drawn(drawing)
        seen_by = self._store.second_opinions.seen_by(image_id)
        if not may_draw(author, seen_by):
            raise InvalidRequest("You have seen the outlines of this image, so somebody else has to draw it.")
        judged_by = self._store.second_opinions.judged_by(image_id, drawing.version_id)
        opinion = SecondOpinion(
            id=opinion_id,
            image_id=image_id,
            version_id=drawing.version_id,
            judged_by=judged_by,
            drawn_by=author,
            drawn_at=utc_now(),
            seconds=drawing.seconds,
            same_person=not known_apart(author, seen_by),
            at_random=drawn_at_random(image_id),
            **self._opinion(image, drawing),
        )
        saved = self._store.second_opinions.add(opinion)
        with self._lock:
            self._holds.drop(image_id)
        return saved

    def figures(self, project_id: str) -> SecondOpinionFigures:
        """How far people agree in a project, and the engine with them.

        Raises:
            NotFound: there is no such project.
        """
        return figures(self.rows(project_id))

    def rows(self, project_id: str) -> list[Row]:
        """What every drawing of a project says, without its outlines, the first one first; as ``figures``."""
        self._store.projects.require(project_id)
        return self._store.second_opinions.figures(project_id)

    def _turn(self, project: Project, reviewer: Reviewer) -> tuple[DrawingTurn, list[Row]]:
        """Where the drawing of a project stands for somebody, and the images that they could draw now."""
        requested = project.review.second_opinions
        chosen = sample(self._store.second_opinions.candidates(project.id), requested) if requested else []
        waiting = [row for row in chosen if not row["drawn_by"]]
        theirs = [row for row in waiting if may_draw(reviewer.person, row["seen_by"])]
        with self._lock:
            free = [row for row in theirs if not self._holds.elsewhere(row["id"], reviewer.person)]
        return DrawingTurn(
            image=None,
            requested=requested,
            drawn=len(chosen) - len(waiting),
            left=len(free),
            elsewhere=len(theirs) - len(free),
            seen=len(waiting) - len(theirs),
        ), free

    def _next(
        self, free: Sequence[Row], reviewer: Reviewer, image_id: str | None, skipped: frozenset[str]
    ) -> Row | None:
        named = [row for row in free if row["id"] == image_id]
        own = [row for row in free if self._holds.has(row["id"], reviewer) and row["id"] not in skipped]
        others = [row for row in free if not self._holds.in_other_window(row["id"], reviewer)]
        fresh = [row for row in others if row["id"] not in skipped]
        return next(chain(named, own, fresh, others, free), None)

    def _opinion(self, image: Image, drawing: Drawing) -> dict[str, Any]:
        """What follows from a drawing and the results that it is compared with, by name."""
        version = self._source.version(drawing.version_id)
        engine = self._engine_version(version)
        drawn = dict(enumerate(drawing.outlines, start=1))
        matches = matched(self._source.regions(image, drawing.version_id), drawn)
        by_engine = (
            None if engine is None else self._matches_with_engine(image, version, engine, matches, drawn)
        )
        outlines = orjson.dumps([region.to_json() for region in drawing.outlines])
        return {
            "outlines": outlines.decode(),
            "sha256": hashlib.sha256(outlines).hexdigest(),
            "n_drawn": len(drawn),
            **asdict(matches),
            "engine_version_id": engine and engine.id,
            "engine_n_either": by_engine and by_engine.n_either,
            "engine_ious": by_engine and by_engine.ious,
            "engine_diameter_changes": by_engine and by_engine.diameter_changes,
        }

    def _matches_with_engine(
        self,
        image: Image,
        version: Version | None,
        engine: Version,
        matches: Matches,
        drawn: Mapping[int, Region],
    ) -> Matches:
        if version is not None and engine.id == version.id:
            return matches
        return matched(self._source.regions(image, engine.id), drawn)

    def _engine_version(self, version: Version | None) -> Version | None:
        """The engine's own result that a version goes back to; None where it goes back to none."""
        while version is not None and version.kind is VersionKind.CORRECTED:
            version = self._source.version(version.parent_id)
        return version


def sample(rows: Sequence[Row], n: int) -> list[Row]:
    """The ``n`` images of a project that are drawn a second time, in order: the same ones each time.

    Those that have been drawn stay among them. Then come images that the review has drawn at random, as only
    these tell of all, and then others, each by a number that follows from its id.
    """
    return sorted(rows, key=_drawing_order)[:n]


def may_draw(person: str, seen_by: Iterable[str]) -> bool:
    """Whether somebody may draw an image; who is not known by name may, since nobody can tell."""
    return person in NAMELESS or person not in seen_by


def known_apart(person: str, seen_by: Iterable[str]) -> bool:
    """Whether it is known that somebody is another person than those who have seen an image's outlines."""
    return person not in NAMELESS and not NAMELESS.intersection(seen_by)


def _drawing_order(row: Row) -> tuple[bool, bool, bytes]:
    """Sort key: images drawn already, then those of the review's random arm, then the others; each by lot."""
    lot = hashlib.sha256(f"second opinion {row['id']}".encode()).digest()
    return not row["drawn_by"], not drawn_at_random(row["id"]), lot


def _require_drawn(drawing: Drawing) -> None:
    """Refuse a drawing that says two things.

    Raises:
        InvalidRequest: it has no outline and does not say so, or some and says there is none; or two overlap.
    """
    if not drawing.outlines and not drawing.nothing:
        raise InvalidRequest("Nothing has been drawn. Say so if there is nothing to outline.")
    if drawing.outlines and drawing.nothing:
        raise InvalidRequest("Outlines were drawn, so there is something to outline.")
    require_apart(list(drawing.outlines))
