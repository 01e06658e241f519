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


class SpheroidsExpected(StrEnum):
    """How many spheroids a project has in an image."""

    ONE = "one"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """What a project's review goes by.

    ``spheroids_expected``: None where nobody has said. ``reason_needed``: whether a correction
    says why; None where the app's setting decides.
    ``second_opinions``: how many images another person draws again without seeing their outlines.
    """

    spheroids_expected: SpheroidsExpected | None = None
    reason_needed: bool | None = None
    second_opinions: int = 0

    def needs_reason(self, usual: bool) -> bool:
        """Whether a correction says why; ``usual`` is the app's setting."""
        return usual if self.reason_needed is None else self.reason_needed


NOTHING_SAID = ReviewSettings()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of a result, why, and how many seconds they have looked at it, where it is known."""

    state: ReviewState
    reason: str = ""
    seconds: float | None = None
