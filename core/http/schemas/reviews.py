"""Review: what people say of results, the queue of images that wait, and the accuracy that follows."""

from __future__ import annotations

from pydantic import Field

from core.corrections.accuracy import Accuracy
from core.http.schemas.base import Answer
from core.http.schemas.corrections import MAX_REASON, Body
from core.models import ReviewState


class ReviewBody(Body):
    """What somebody says of the result that they have seen."""

    version_id: str | None = Field(
        max_length=64, description="The version that was in force when they looked."
    )
    state: ReviewState
    reason: str = Field(default="", max_length=MAX_REASON, description="Needed where it is excluded.")
    seconds: float | None = Field(
        default=None, ge=0, le=3600, description="How long they looked at it, where that is known."
    )


class NextBody(Body):
    """Nothing has to be said."""


class WaitingImage(Answer):
    """An image to look at, and why it is here."""

    image_id: str
    name: str
    version_id: str
    confidence: float | None
    at_random: bool
    reasons: list[str]


class QueueAnswer(Answer):
    """Images that wait, in order, and how many images have each state."""

    total: int
    waiting: list[WaitingImage]
    progress: dict[ReviewState, int]


class NextAnswer(Answer):
    """The image that the caller is to look at next; null where none waits."""

    image: WaitingImage | None


class EstimateAnswer(Answer):
    """A value with its 95 % interval; null where too few images have been looked at."""

    value: float | None
    low: float | None
    high: float | None


class AccuracyAnswer(Answer):
    """From images drawn at random alone."""

    n: int
    right: EstimateAnswer
    iou: EstimateAnswer
    diameter_change: EstimateAnswer


class AccuraciesAnswer(Answer):
    """By group: "all", and each engine and week."""

    groups: dict[str, AccuracyAnswer]


def accuracies(measured: dict[str, Accuracy]) -> AccuraciesAnswer:
    """The accuracy of a project by group."""
    return AccuraciesAnswer(
        groups={name: AccuracyAnswer.model_validate(item) for name, item in measured.items()}
    )
