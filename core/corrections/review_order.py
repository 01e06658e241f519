"""The order in which images are looked at, and why each is in the queue, in words."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from core.models import ReviewState, SpheroidsExpected
from core.models.quality import LOOK_BELOW
from core.segmentation.confidence import doubtful
from core.store.reviews import ReviewOrder

RANDOM_SHARE = 10  # one image of so many is drawn at random
BLURRED = 3.0  # percent: of six sets of images in focus, nine of ten have less (docs/review.md)
SPECKS_TIMES, MANY_SPECKS = 3.5, 30  # of the project's median, and at least so many
ORDER = ReviewOrder(RANDOM_SHARE, LOOK_BELOW, BLURRED, MANY_SPECKS, SPECKS_TIMES)
UNSEEN = "nobody has looked at it"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An image to look at: whether it was drawn at random, and why it is here, in words."""

    image_id: str
    name: str
    version_id: str
    confidence: float | None
    at_random: bool
    reasons: tuple[str, ...]

    @property
    def flagged(self) -> bool:
        """Whether there is more to say than that nobody has looked at it."""
        return self.reasons != (UNSEEN,)


def drawn_at_random(image_id: str) -> bool:
    """Whether an image is one of those that tell how good the outlines are: the same answer each time."""
    return _lot(image_id) % RANDOM_SHARE == 0


def ordered(rows: Sequence[Mapping[str, Any]], n_seen: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield images in the order of the queue, when ``n_seen`` of their project have been looked at.

    Those without any spheroid come before all: nothing found is never silently right. Then come those with
    a reason to look at them, worst confidence first, and then all others. Those of which somebody was unsure
    come last. ``n_seen`` counts, or those drawn at random would never get to the front.
    """
    lots = deque(sorted((row for row in rows if drawn_at_random(row["id"])), key=lambda row: _lot(row["id"])))
    worst = deque(sorted((row for row in rows if not drawn_at_random(row["id"])), key=_rank))
    for place in count(n_seen):
        if not lots and not worst:
            return
        its_turn = place % RANDOM_SHARE == RANDOM_SHARE // 2
        yield (lots if not worst or (lots and its_turn) else worst).popleft()


def reasons(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Why an image is in the queue, in words; ``row`` is one of the statement reviews.waiting."""
    drawn = ("drawn at random, to tell how good the outlines are",) if drawn_at_random(row["id"]) else ()
    return (*drawn, *doubts(row)) or (UNSEEN,)


def doubts(row: Mapping[str, Any]) -> Iterator[str]:
    """What asks for a person's eye."""
    n, expected = row["n_objects"], row["spheroids_expected"]
    if n == 0:
        yield "nothing was found"
    if n > 1 and expected == SpheroidsExpected.ONE:
        yield f"{n} spheroids were found where one is expected"
    elif n > 1 and expected is None:
        yield f"{n} spheroids were found; the settings can say how many are expected"
    elif n == 1 and expected == SpheroidsExpected.SEVERAL:
        yield "one spheroid was found where several are expected"
    if doubtful(row["confidence"]):
        yield "the outlines are less certain than usual"
    if row["edge_blur"] is not None and row["edge_blur"] > BLURRED:
        yield f"out of focus: the edge is blurred over {row['edge_blur']:.1f} % of the diameter"
    specks, usual = row["specks"], row["usual_specks"]
    if specks is not None and usual is not None and specks > max(MANY_SPECKS, SPECKS_TIMES * usual):
        yield f"many specks: {specks}, where {usual:.0f} are usual in this project"
    if row["review"] == ReviewState.UNSURE:
        yield "somebody was unsure"


def waiting_of(row: Mapping[str, Any]) -> Waiting:
    """A row of the images that wait."""
    return Waiting(
        row["id"], row["name"], row["version_id"], row["confidence"], drawn_at_random(row["id"]), reasons(row)
    )


def _rank(row: Mapping[str, Any]) -> tuple[bool, bool, bool, float, str]:
    confidence = row["confidence"] if row["confidence"] is not None else 0.0
    flagged = any(doubts(row))
    return row["review"] == ReviewState.UNSURE, row["n_objects"] > 0, not flagged, confidence, row["id"]


@lru_cache(maxsize=2**17)  # asked several times for every image that waits
def _lot(image_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"review {image_id}".encode()).digest()[:8])
