"""Corrections: what is sent of a gesture, and what is answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.corrections import Change, Draft, NewRegion, Region, Tool
from core.corrections.gestures import Applied, Gesture
from core.http.schemas import rows
from core.http.schemas.base import Answer, Problem, Time
from core.models import Image, Version
from core.store.corrections import EndedDraft

MAX_OBJECTS = 1000  # in one gesture
MAX_RUNS = 400_000  # numbers of one outline
MAX_REASON = 500  # characters
Number = Annotated[int, Field(ge=1, le=65_535)]
Coordinate = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
BOX = "x, y, width and height in pixels."
RUNS = "Start and length, start and length, … of the pixels, row by row through the box; [] for none."


class Body(BaseModel):
    """What is sent as JSON; any field that is not described is refused."""

    model_config = ConfigDict(extra="forbid")


class ObjectBody(Body):
    """One spheroid as it is to be: all of its pixels."""

    number: Number | None = Field(default=None, description="Null for a new one.")
    box: list[int] = Field(default=[0, 0, 1, 1], min_length=4, max_length=4, description=BOX)
    runs: list[int] = Field(max_length=MAX_RUNS, description=RUNS)
    parents: list[Number] = Field(default=[], max_length=100, description="What a new one was made from.")


class BaseBody(Body):
    """What the client had seen when it made a change."""

    version_id: str | None = Field(max_length=64, description="The version that is corrected.")
    base_revision: int = Field(ge=0, le=10**9, description="The last operation that the client had seen.")
    ms: int = Field(default=0, ge=0, le=86_400_000, description="How long the gesture took.")


class GestureBody(BaseBody):
    """One gesture: every spheroid that it changes, complete."""

    tool: Tool
    objects: list[ObjectBody] = Field(min_length=1, max_length=MAX_OBJECTS)

    def gesture(self, op_id: str, image: Image) -> Gesture:
        """Return it checked against its image; raises InvalidRequest."""
        shape = (image.height, image.width)
        regions = tuple(
            NewRegion(item.number, Region.checked(item.box, item.runs, shape), tuple(item.parents))
            for item in self.objects
        )
        return Gesture(op_id, self.version_id, self.base_revision, self.tool, self.ms, regions)


class StepBody(BaseBody):
    """Undo or redo one's own last gesture."""

    def gesture(self, op_id: str, tool: Tool) -> Gesture:
        """Return it as a gesture without regions."""
        return Gesture(op_id, self.version_id, self.base_revision, tool, self.ms)


class ClickBody(StepBody):
    """One click, at x, y in pixels; (0.5, 0.5) is the middle of the first pixel."""

    x: Coordinate
    y: Coordinate
    number: Number | None = Field(default=None, description="The spheroid to grow; null for a new one.")
    away: bool = Field(default=False, description="Take away what does not belong to the spheroid here.")
    split_at: tuple[Coordinate, Coordinate] | None = Field(
        default=None, description="A second point in the same spheroid: part it between the two."
    )


class DoneBody(Body):
    """Make the draft a version."""

    revision: int = Field(ge=1, le=10**9, description="The last operation that the client has seen.")
    in_force: str | None = Field(max_length=64, description="The version that the client saw in force.")
    reason: str = Field(default="", max_length=MAX_REASON)


class DiscardBody(Body):
    """Give the draft up."""

    revision: int = Field(ge=1, le=10**9, description="The last operation that the client has seen.")


class ReopenBody(Body):
    """Take a discarded draft up again."""

    draft_id: str = Field(max_length=64)


class ChoiceBody(Body):
    """Put another version in force."""

    version_id: str = Field(max_length=64)
    in_force: str | None = Field(max_length=64, description="The version that the client saw in force.")


class RegionAnswer(Answer):
    """A spheroid's pixels; without box and runs where it has been deleted."""

    number: int
    box: list[int] | None = Field(description=BOX)
    runs: list[int] | None = Field(description=RUNS)
    parents: list[int] = Field(default=[])


class DraftAnswer(Answer):
    """Where a correction stands. ``undo`` and ``redo`` count the caller's own gestures.

    ``measured`` has the measurements of what was changed; a deleted spheroid has none.
    """

    version_id: str | None
    revision: int
    undo: int
    redo: int
    seconds_worked: float
    objects: list[RegionAnswer]
    measured: list[dict[str, Any]]


class StateAnswer(DraftAnswer):
    """Where the correction of an image stands, with all of its spheroids."""

    in_force: str | None = Field(description="The version of the image that is in force.")
    authors: list[str] = Field(description="Whose gestures the correction has.")
    caller: str = Field(description="In whose name the caller's gestures are stored.")


class AppliedAnswer(DraftAnswer):
    """The spheroids that a gesture changed."""


class EndedAnswer(Answer):
    """A draft that has been ended meanwhile; a discarded one can be taken up again."""

    draft_id: str
    discarded: bool
    ended_by: str
    ended_at: Time


class ConflictProblem(Problem):
    """Somebody else was first: the state as it is now. The client knows what it wanted itself."""

    revision: int
    version_id: str | None
    objects: list[RegionAnswer]
    ended: EndedAnswer | None = Field(default=None, description="How a correction ended, and by whom.")


class DiscardedAnswer(Answer):
    """A draft that was given up, and whose gestures it has."""

    id: str
    authors: list[str]
    began_at: Time
    n_changes: int
    discarded_by: str
    discarded_at: Time


class DiscardedDraftsAnswer(Answer):
    """The discarded drafts of an image that can be taken up again, the latest first."""

    discarded: list[DiscardedAnswer]


class VersionAnswer(Answer):
    """One version of an image's result."""

    id: str
    kind: str
    in_force: bool
    parent_id: str | None
    author: str | None
    reason: str | None
    engine: str
    engine_version: str
    created_at: Time
    n_objects: int
    confidence: float | None
    parent_iou: float | None
    seconds_worked: float | None


class VersionsAnswer(Answer):
    """Every version of an image, the newest first."""

    versions: list[VersionAnswer]


class HistoryRow(Answer):
    """One change that a person made."""

    sequence: int
    changed_at: Time
    who: str
    action: str
    facts: dict[str, Any]
    hash: str


class HistoryAnswer(Answer):
    """Every change of an image, the first one first."""

    changes: list[HistoryRow]


def region(number: int, value: Region | None, parents: tuple[int, ...] = ()) -> dict[str, Any]:
    """One object as it is now."""
    pixels = {"box": None, "runs": None} if value is None else value.to_json()
    return {"number": number, **pixels, "parents": list(parents)}


def state_body(state: Applied, author: str) -> dict[str, Any]:
    """Where a correction stands, with all of its objects, and the measurements of those that differ."""
    draft = state.draft
    return _about(draft, author) | {
        "in_force": state.image.version_id,
        "authors": list(dict.fromkeys(entry.author for entry in draft.entries)),
        "caller": author,
        "objects": [region(number, value) for number, value in draft.objects.items()],
        "measured": _measured(state),
    }


def ended_body(ended: EndedDraft | None) -> dict[str, Any] | None:
    """How a draft ended, and by whom; None of None."""
    return None if ended is None else EndedAnswer.model_validate(ended).model_dump(mode="json")


def applied_body(applied: Applied, author: str) -> dict[str, Any]:
    """What a gesture changed, with its measurements."""
    return _about(applied.draft, author) | {
        "objects": [_changed(change) for change in applied.changes],
        "measured": _measured(applied),
    }


def _measured(applied: Applied) -> list[dict[str, Any]]:
    return [rows.spheroid_row(item, applied.image.um_per_px, True) for item in applied.spheroids]


def version_body(version: Version, in_force: str | None) -> VersionAnswer:
    """One version, and whether it is in force."""
    values = {name: getattr(version, name) for name in VersionAnswer.model_fields if name != "in_force"}
    return VersionAnswer(**values, in_force=version.id == in_force)


def _changed(change: Change) -> dict[str, Any]:
    return region(change.number, change.after, change.parents)


def _about(draft: Draft, author: str) -> dict[str, Any]:
    undo, redo = draft.steps(author)
    return {
        "version_id": draft.parent_id,
        "revision": draft.revision,
        "undo": undo,
        "redo": redo,
        "seconds_worked": draft.seconds_worked,
    }
