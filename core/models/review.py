"""What people say of results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReviewState(StrEnum):
    """What people say of an image's result."""

    UNSEEN = "unseen"
    RIGHT = "right"
    CORRECTED = "corrected"
    EXCLUDED = "excluded"  # left out of statistics and charts; exported with the reason
    UNSURE = "unsure"


class ExclusionReason(StrEnum):
    """Why an image is left out of statistics."""

    OUT_OF_FOCUS = "out of focus"
    DEBRIS = "debris"
    MERGED = "merged"
    EMPTY = "empty"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of a result, why, and how many seconds they have looked at it, where it is known."""

    state: ReviewState
    reason: str = ""
    seconds: float | None = None
