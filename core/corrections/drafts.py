"""Drafts: the state of an image that is being corrected, made by replaying its stored operations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from core.corrections.operations import Changes, Objects, Tool, applied, inverted
from core.errors import InvalidRequest

PAUSE = timedelta(seconds=60)  # of a longer gap between two gestures only so much counts as work


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored operation. ``ms``: duration of the gesture; ``digest``: SHA-256 of what the client sent."""

    revision: int
    op_id: str
    author: str
    tool: Tool
    changes: Changes
    created_at: datetime
    ms: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A state with the operations that led to it from ``parent_id``, the version that is corrected.

    ``id`` is None until the first operation is stored. ``changed_at`` has the revision at which each object
    was last changed, deleted ones too; revision 0 is the version itself. Numbers are never used twice.
    ``earlier_revision`` is the last one of the image's other drafts: revisions go on from there, so that each
    names one operation of the image, and what was seen of an ended draft is not taken for this one.
    """

    image_id: str
    parent_id: str | None
    shape: tuple[int, int]
    start: Objects
    objects: Objects
    changed_at: dict[int, int]
    next_number: int
    id: str | None = None
    entries: tuple[Entry, ...] = ()
    earlier_revision: int = 0

    @classmethod
    def begin(
        cls,
        image_id: str,
        parent_id: str | None,
        shape: tuple[int, int],
        start: Objects,
        earlier_revision: int = 0,
    ) -> Draft:
        """The draft of a version in which nothing has been changed."""
        next_number = max(start, default=0) + 1
        return cls(
            image_id, parent_id, shape, start, start, {}, next_number, earlier_revision=earlier_revision
        )

    @property
    def revision(self) -> int:
        """Number of the last operation."""
        return self.entries[-1].revision if self.entries else 0

    @property
    def next_revision(self) -> int:
        """Number of the operation that comes next."""
        return max(self.revision, self.earlier_revision) + 1

    @property
    def changed(self) -> frozenset[int]:
        """Numbers of the objects that are there and differ from the version that is corrected."""
        return frozenset(
            number for number, region in self.objects.items() if region != self.start.get(number)
        )

    @property
    def seconds_worked(self) -> float:
        """How long people worked at it: the gaps between gestures, long ones cut, and the first gesture."""
        times = [entry.created_at for entry in self.entries]
        gaps = (later - earlier for earlier, later in pairwise(times))
        worked = sum((min(gap, PAUSE) for gap in gaps), timedelta()).total_seconds()
        return worked + (self.entries[0].ms / 1000 if self.entries else 0.0)

    def entry(self, op_id: str) -> Entry | None:
        """The stored operation of this id."""
        return next((entry for entry in self.entries if entry.op_id == op_id), None)

    def later(self, numbers: frozenset[int], revision: int) -> frozenset[int]:
        """Those of ``numbers`` that were changed after a revision."""
        return frozenset(number for number in numbers if self.changed_at.get(number, 0) > revision)

    def with_entry(self, entry: Entry) -> Draft:
        """The draft after one more operation.

        Raises:
            ObjectConflict: an object that it changes is not as it was.
        """
        objects = applied(self.objects, entry.changes)
        numbers = {change.number: entry.revision for change in entry.changes}
        return replace(
            self,
            objects=objects,
            changed_at=self.changed_at | numbers,
            next_number=max(self.next_number, *(number + 1 for number in numbers), 0),
            entries=(*self.entries, entry),
        )

    def undoing(self, author: str) -> Changes:
        """Changes that undo a person's last operation that is not undone.

        Raises:
            InvalidRequest: there is none.
        """
        done, _ = _stacks(self.entries, author)
        if not done:
            raise InvalidRequest("There is nothing to undo.")
        return inverted(done[-1])

    def redoing(self, author: str) -> Changes:
        """Changes that a person's last undo took back.

        Raises:
            InvalidRequest: there is none, or the person has changed something since.
        """
        _, undone = _stacks(self.entries, author)
        if not undone:
            raise InvalidRequest("There is nothing to redo.")
        return undone[-1]

    def steps(self, author: str) -> tuple[int, int]:
        """How many operations a person can undo and redo."""
        done, undone = _stacks(self.entries, author)
        return len(done), len(undone)


def _stacks(entries: tuple[Entry, ...], author: str) -> tuple[list[Changes], list[Changes]]:
    """A person's operations that stand and those that are undone, each with the last one last."""
    done: list[Changes] = []
    undone: list[Changes] = []
    for entry in entries:
        if entry.author != author:
            continue
        if entry.tool is Tool.UNDO:
            undone.append(done.pop())
        elif entry.tool is Tool.REDO:
            done.append(undone.pop())
        else:
            done.append(entry.changes)
            undone.clear()
    return done, undone
