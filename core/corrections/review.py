"""Review: images of a project in the order in which somebody should look at them, and what people say.

Nine of ten images come worst confidence first. Every tenth is drawn at random, by a number that follows from
its id: queued images are the worst, so only these tell how good the outlines are.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.clock import utc_now
from core.corrections.accuracy import Accuracy, accuracy
from core.errors import InvalidRequest
from core.models import ExclusionReason, ReviewState
from core.segmentation.confidence import doubtful
from core.store import Store
from core.store.reviews import Judgement

RANDOM_SHARE = 10  # one image of so many is drawn at random
HELD_SECONDS = 600.0  # for which an image that one person has been given is not given to another


@dataclass(frozen=True, slots=True)
class Waiting:
    """An image to look at: whether it was drawn at random, and why it is here, in words."""

    image_id: str
    name: str
    version_id: str
    confidence: float | None
    at_random: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """Images that wait, in order, and how many images of each state the project has."""

    waiting: tuple[Waiting, ...]
    progress: Mapping[ReviewState, int]


class Reviews:
    """Hands out images to look at and takes what people say of them. Safe from any thread."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._held: dict[str, tuple[str, float]] = {}  # who looks at an image, and until when
        self._lock = threading.Lock()

    def queue(self, project_id: str, reviewer: str) -> Queue:
        """The images of a project that wait and that no other person looks at now.

        Raises:
            NotFound: there is no such project.
        """
        self._store.projects.require(project_id)
        rows = self._store.reviews.waiting(project_id)
        with self._lock:
            free = [row for row in rows if self._free(row["id"], reviewer)]
        return Queue(tuple(map(_waiting, ordered(free))), self._store.reviews.progress(project_id))

    def next(self, project_id: str, reviewer: str) -> Waiting | None:
        """The next image for a person, held for them; None where none waits."""
        for item in self.queue(project_id, reviewer).waiting:
            with self._lock:
                if self._free(item.image_id, reviewer):
                    self._held[item.image_id] = (reviewer, self._clock() + HELD_SECONDS)
                    return item
        return None

    def judge(
        self, image_id: str, version_id: str | None, state: ReviewState, reason: str, reviewer: str
    ) -> None:
        """Save what a person says of a result.

        Raises:
            InvalidRequest: a state that follows from a correction, or no known reason to exclude.
            VersionConflict: another version than the one that the person has seen is in force by now.
            NotFound: there is no such image.
        """
        if state in (ReviewState.CORRECTED, ReviewState.UNSEEN):
            raise InvalidRequest(
                "An image becomes corrected by finishing a correction, and unseen by a new result."
            )
        if state is ReviewState.EXCLUDED and reason not in list(ExclusionReason):
            raise InvalidRequest(f"Say why it is excluded: {', '.join(ExclusionReason)}.")
        judgement = Judgement(state, reason or None, reviewer, utc_now(), drawn_at_random(image_id))
        self._store.reviews.add(image_id, version_id, judgement)
        with self._lock:
            self._held.pop(image_id, None)

    def accuracy(self, project_id: str) -> dict[str, Accuracy]:
        """How good automatic outlines are in a project: under "all", and under each engine and week.

        Raises:
            NotFound: there is no such project.
        """
        self._store.projects.require(project_id)
        groups: dict[str, list[Mapping[str, Any]]] = {"all": []}
        for row in self._store.reviews.judged(project_id):
            year, week, _ = row["reviewed_at"].isocalendar()
            engine = f"engine {row['engine']} {row['engine_version']}"
            for group in ("all", engine, f"week {year}-W{week:02d}"):
                groups.setdefault(group, []).append(row)
        return {name: accuracy(rows) for name, rows in groups.items()}

    def _free(self, image_id: str, reviewer: str) -> bool:
        held = self._held.get(image_id)
        return held is None or held[0] == reviewer or held[1] < self._clock()


def drawn_at_random(image_id: str) -> bool:
    """Whether an image is one of those that tell how good the outlines are: the same answer each time."""
    return _lot(image_id) % RANDOM_SHARE == 0


def ordered(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield images in the order of the queue: those of which somebody was unsure come last.

    Images without any spheroid come before all: nothing found is never silently right.
    """
    lots = sorted((row for row in rows if drawn_at_random(row["id"])), key=lambda row: _lot(row["id"]))
    worst = sorted((row for row in rows if not drawn_at_random(row["id"])), key=_rank)
    for place, row in enumerate(worst):
        if place % (RANDOM_SHARE - 1) == RANDOM_SHARE // 2 and lots:
            yield lots.pop(0)
        yield row
    yield from lots


def reasons(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Why an image is in the queue, in words."""
    found = []
    if drawn_at_random(row["id"]):
        found.append("drawn at random, to tell how good the outlines are")
    if row["n_objects"] == 0:
        found.append("nothing was found")
    if row["n_objects"] > 1:
        found.append(f"{row['n_objects']} spheroids were found")
    if doubtful(row["confidence"]):
        found.append("the outlines are less certain than usual")
    if row["review"] == ReviewState.UNSURE:
        found.append("somebody was unsure")
    return tuple(found) or ("nobody has looked at it",)


def _waiting(row: Mapping[str, Any]) -> Waiting:
    return Waiting(
        row["id"], row["name"], row["version_id"], row["confidence"], drawn_at_random(row["id"]), reasons(row)
    )


def _rank(row: Mapping[str, Any]) -> tuple[bool, bool, float, str]:
    confidence = row["confidence"] if row["confidence"] is not None else 0.0
    return row["review"] == ReviewState.UNSURE, row["n_objects"] > 0, confidence, row["id"]


def _lot(image_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"review {image_id}".encode()).digest()[:8])
