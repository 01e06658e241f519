"""Review: images of a project in the order in which somebody should look at them, and what people say.

Nine of ten images come worst confidence first. Every tenth is drawn at random, by a number that follows from
its id: queued images are the worst, so only these tell how good the outlines are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

from core.clock import utc_now
from core.corrections.accuracy import Accuracy, by_group
from core.corrections.holds import Holds, Reviewer
from core.corrections.review_order import ORDER, Waiting, drawn_at_random, ordered, waiting_of
from core.errors import InvalidRequest
from core.models import ExclusionReason, ReviewState, Verdict
from core.store import Store
from core.store.reviews import FirstOf, Judgement, ReviewEffort

CORRECTED_NOW = timedelta(minutes=30)  # since the last gesture of somebody else at a correction that is open
SPARE = 20  # images asked for beside those that are held, for those that are taken meanwhile


@dataclass(frozen=True, slots=True)
class Queue:
    """Images that wait, in order, and how many images of each state the project has."""

    waiting: tuple[Waiting, ...]
    progress: Mapping[ReviewState, int]


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody looks at now, and what comes after it; None where there is nothing.

    ``left``: how many images wait for them, this one included. ``elsewhere``: how many others look at now.
    """

    image: Waiting | None
    following: Waiting | None
    left: int
    elsewhere: int
    progress: Mapping[ReviewState, int]


class Reviews:
    """Hands out images to look at and takes what people say of them. Safe from any thread."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._holds = Holds(clock)
        self._lock = threading.Lock()

    def queue(self, project_id: str, reviewer: str) -> Queue:
        """The images of a project that wait and that no other person looks at or corrects now.

        Raises:
            NotFound: there is no such project.
        """
        self._store.projects.require(project_id)
        rows = self._store.reviews.waiting(project_id, reviewer, utc_now() - CORRECTED_NOW)
        with self._lock:
            free = self._free(rows, reviewer)
        progress = self._store.reviews.progress(project_id)
        return Queue(tuple(map(waiting_of, ordered(free, _n_seen(progress)))), progress)

    def turn(
        self, project_id: str, reviewer: Reviewer, image_id: str | None = None, *, again: bool = False
    ) -> Turn:
        """The image that somebody is to look at, held for them for ten minutes.

        It is ``image_id`` if that waits and nobody else looks at it or corrects it, else the one they have
        been given already, else the next one. Of what they were unsure of themselves nothing comes, but with
        ``again``.

        Raises:
            NotFound: there is no such project.
        """
        self._store.projects.require(project_id)
        with self._lock:
            held = self._holds.images
        since = utc_now() - CORRECTED_NOW
        corrected = self._store.corrections.changed_by_others(project_id, reviewer.person, since)
        ids = [*held, *corrected, image_id or ""]
        asked = FirstOf(len(ids) + SPARE, ids, image_id, None if again else reviewer.person)
        rows, waiting = self._store.reviews.first_waiting(project_id, ORDER, asked)
        progress = self._store.reviews.progress(project_id)
        with self._lock:
            free = self._free(rows, reviewer.person, corrected)
            order = list(ordered(free, _n_seen(progress)))
            chosen = self._chosen(order, reviewer, image_id)
            if chosen is not None:
                self._holds.take(chosen["id"], reviewer)
            rest = [
                row
                for row in order
                if row is not chosen and not self._holds.in_other_window(row["id"], reviewer)
            ]
        return Turn(
            image=None if chosen is None else waiting_of(chosen),
            following=waiting_of(rest[0]) if rest else None,
            left=waiting - (len(rows) - len(free)),
            elsewhere=len(rows) - len(free),
            progress=progress,
        )

    def judge(self, image_id: str, version_id: str | None, verdict: Verdict, reviewer: str) -> None:
        """Save what a person says of a result.

        Raises:
            InvalidRequest: a state that follows from a correction, no known reason to exclude, or "right"
                while somebody else's correction is open.
            VersionConflict: another version than the one that the person has seen is in force by now.
            NotFound: there is no such image.
        """
        state, reason = verdict.state, verdict.reason
        if state in (ReviewState.CORRECTED, ReviewState.UNSEEN):
            raise InvalidRequest(
                "An image becomes corrected by finishing a correction, and unseen by a new result."
            )
        if state is ReviewState.EXCLUDED and reason not in list(ExclusionReason):
            raise InvalidRequest(f"Say why it is excluded: {', '.join(ExclusionReason)}.")
        if state is ReviewState.RIGHT:
            self._require_no_other_draft(image_id, reviewer)
        judgement = Judgement(
            state, reason or None, reviewer, utc_now(), drawn_at_random(image_id), verdict.seconds
        )
        self._store.reviews.add(image_id, version_id, judgement)
        with self._lock:
            self._holds.drop(image_id)

    def take_back(self, image_id: str, version_id: str | None, reviewer: str) -> None:
        """Take back the last thing that a person has said of a result, which then waits again.

        Raises:
            InvalidRequest: somebody else has said something since, or they have said nothing of it.
            VersionConflict, NotFound: as ``judge``.
        """
        self._store.reviews.take_back(image_id, version_id, reviewer)

    def accuracy(self, project_id: str) -> dict[str, Accuracy]:
        """How good automatic outlines are in a project: under "all", and under each engine and week.

        Raises:
            NotFound: there is no such project.
        """
        self._store.projects.require(project_id)
        return by_group(self._store.reviews.judged(project_id))

    def effort(self, project_id: str) -> ReviewEffort:
        """How much was reviewed of a project, and how long that took.

        Raises:
            NotFound: there is no such project.
        """
        self._store.projects.require(project_id)
        return self._store.reviews.effort(project_id)

    def renew(self, image_id: str, person: str) -> None:
        """Hold an image for ten minutes more for who corrects it, if it was given to them."""
        with self._lock:
            self._holds.renew(image_id, person)

    def _free(
        self, rows: Sequence[Mapping[str, Any]], person: str, corrected: Collection[str] = ()
    ) -> list[Mapping[str, Any]]:
        """Those that no other person looks at now, and that are not among those that others correct."""
        return [
            row for row in rows if row["id"] not in corrected and not self._holds.elsewhere(row["id"], person)
        ]

    def _require_no_other_draft(self, image_id: str, person: str) -> None:
        unfinished = self._store.corrections.unfinished(image_id)
        others = [name for name in unfinished.authors if name != person] if unfinished else []
        if others:
            raise InvalidRequest(
                f"{' and '.join(others)} has begun to correct this image. Finish or discard that correction "
                "first: then say whether the outlines are right."
            )

    def _chosen(
        self, order: Sequence[Mapping[str, Any]], reviewer: Reviewer, image_id: str | None
    ) -> Mapping[str, Any] | None:
        """The row to look at among those that no other person has."""
        named = [row for row in order if row["id"] == image_id]
        own = [row for row in order if self._holds.has(row["id"], reviewer)]
        free = (row for row in order if not self._holds.in_other_window(row["id"], reviewer))
        return next(chain(named, own, free, order), None)


def _n_seen(progress: Mapping[ReviewState, int]) -> int:
    return sum(n for state, n in progress.items() if state is not ReviewState.UNSEEN)
