"""The order in which images are looked at, and why each is in the queue, in words."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from core.models import ReviewState
from core.segmentation.confidence import doubtful

RANDOM_SHARE = 10  # one image of so many is drawn at random
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

    Those without any spheroid come before all: nothing found is never silently right. Those of which somebody
    was unsure come last. ``n_seen`` counts, or those drawn at random would never get to the front.
    """
    lots = deque(sorted((row for row in rows if drawn_at_random(row["id"])), key=lambda row: _lot(row["id"])))
    worst = deque(sorted((row for row in rows if not drawn_at_random(row["id"])), key=_rank))
    for place in count(n_seen):
        if not lots and not worst:
            return
        its_turn = place % RANDOM_SHARE == RANDOM_SHARE // 2
        yield (lots if not worst or (lots and its_turn) else worst).popleft()


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
    return tuple(found) or (UNSEEN,)


def waiting_of(row: Mapping[str, Any]) -> Waiting:
    """A row of the images that wait."""
    return Waiting(
        row["id"], row["name"], row["version_id"], row["confidence"], drawn_at_random(row["id"]), reasons(row)
    )


def _rank(row: Mapping[str, Any]) -> tuple[bool, bool, float, str]:
    confidence = row["confidence"] if row["confidence"] is not None else 0.0
    return row["review"] == ReviewState.UNSURE, row["n_objects"] > 0, confidence, row["id"]


def _lot(image_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"review {image_id}".encode()).digest()[:8])
