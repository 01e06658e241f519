"""What is sent of a gesture or a click, and what each did."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.corrections.drafts import Draft, Entry
from core.corrections.measuring import boxes_px
from core.corrections.operations import Changes, NewRegion, Tool, planned
from core.errors import InvalidRequest, ObjectConflict
from core.models import Image, Spheroid

# Boxes of what one gesture changes: objects are apart, but lines across the image would have its box each.
MOST_IMAGES, ALWAYS_TAKEN_PX = 4, 2**24


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a client sends of one gesture.

    ``op_id`` is chosen by the client; the same one again changes nothing more. ``version_id`` is the version
    that is corrected, and ``base_revision`` the last operation that the client had seen.
    """

    op_id: str
    version_id: str | None
    base_revision: int
    tool: Tool
    ms: int = 0
    regions: tuple[NewRegion, ...] = ()


@dataclass(frozen=True, slots=True)
class Click:
    """A click: ``number`` is the object to grow, or None.

    With ``away`` it takes away; with ``split_at``, the object is parted between the two points.
    """

    point: tuple[float, float]
    number: int | None = None
    away: bool = False
    split_at: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a gesture did: the draft after it, and the objects that it changed, measured.

    ``changes`` name deleted objects, too; ``spheroids`` do not.
    """

    draft: Draft
    changes: Changes
    spheroids: tuple[Spheroid, ...]
    image: Image


def changes_of(draft: Draft, gesture: Gesture) -> Changes:
    """What a gesture changes of a draft.

    Raises:
        ObjectConflict: somebody else has changed the same objects since ``base_revision``.
        InvalidRequest: the change cannot be.
    """
    named = frozenset(item.number for item in gesture.regions if item.number is not None)
    if late := draft.later(named, gesture.base_revision):
        raise ObjectConflict.between(late)
    changes = planned(draft.objects, gesture.regions, draft.next_number)
    boxes = boxes_px(change.after for change in changes if change.after is not None)
    if boxes > max(ALWAYS_TAKEN_PX, MOST_IMAGES * draft.shape[0] * draft.shape[1]):
        raise InvalidRequest(
            f"The boxes of these outlines are more than {MOST_IMAGES} times as large as the image: that is "
            "too much to measure at once. Change fewer outlines at a time."
        )
    return changes


def with_entry(draft: Draft, entry: Entry, base_revision: int) -> Draft:
    """The draft after one more operation, made on what was there at ``base_revision``.

    Raises:
        ObjectConflict: an object is not as it was then.
        InvalidRequest: it would cover another object that has long been there.
    """
    try:
        return draft.with_entry(entry)
    except ObjectConflict as error:
        if entry.tool in (Tool.UNDO, Tool.REDO) or draft.later(error.numbers, base_revision):
            raise
        names = ", ".join(map(str, sorted(error.numbers)))
        raise InvalidRequest(
            f"This would cover spheroid {names}. A pixel belongs to one: send both as they are to be."
        ) from error


def digest_of(gesture: Gesture, click: Click | None) -> str:
    """SHA-256 of what a client sent, by which the same gesture sent again is known."""
    sent = repr((gesture.tool, gesture.regions, click))
    return hashlib.sha256(sent.encode()).hexdigest()
