"""What is sent of a gesture or a click, what each did, and what is known of a draft that nobody has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.corrections.drafts import Draft
from core.corrections.operations import Changes, NewRegion, Tool
from core.models import Image, Spheroid


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


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A draft that nobody has ended: whose gestures it has, the first ones first, and how many."""

    authors: tuple[str, ...]
    began_at: datetime
    changed_at: datetime
    n_changes: int
