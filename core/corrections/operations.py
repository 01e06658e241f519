"""Operations: what one gesture changes. Pure functions apply, invert and rebase them.

An operation names the objects that it changes, with their pixels before and after. It may be applied to any
later state in which those objects are still as before: that is what rebasing it means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from core.corrections.regions import Region, overlap, parts_of
from core.errors import InvalidRequest, ObjectConflict
from core.images.label_png import MAX_LABELS

Objects = Mapping[int, Region]


class Tool(StrEnum):
    """What a gesture was made with."""

    BRUSH = "brush"
    ERASE = "erase"
    DRAW = "draw"
    CUT = "cut"
    MERGE = "merge"
    DELETE = "delete"
    FILL = "fill"
    BEND = "bend"
    CLICK = "click"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after; None where it is not there. ``parents``: what a new one was made from."""

    number: int
    before: Region | None
    after: Region | None
    parents: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        sides = {name: side and side.to_json() for name, side in self._sides()}
        return {"number": self.number, **sides, "parents": list(self.parents)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Change:
        """From what ``to_json`` returned."""
        before, after = (Region.from_json(value[name]) for name in ("before", "after"))
        return cls(value["number"], before, after, tuple(value["parents"]))

    def _sides(self) -> tuple[tuple[str, Region | None], ...]:
        return ("before", self.before), ("after", self.after)


@dataclass(frozen=True, slots=True)
class NewRegion:
    """What a client wants an object to be: ``number`` None for a new one, ``region`` None for none."""

    number: int | None
    region: Region | None
    parents: tuple[int, ...] = ()


Changes = tuple[Change, ...]


def planned(objects: Objects, regions: Iterable[NewRegion], next_number: int) -> Changes:
    """Changes that make objects of a state what a client wants; what is left as it is makes none.

    An object that has come apart keeps its number on its largest part; the other parts are new objects, as
    are those without a number, numbered from ``next_number``.

    Raises:
        InvalidRequest: an object is named twice or is not there, or there would be too many.
    """
    changes: list[Change] = []
    seen: set[int] = set()
    for item in regions:
        number = item.number
        if number is not None and (number in seen or number not in objects):
            reason = "is named twice" if number in seen else "is not there"
            raise InvalidRequest(f"Spheroid {number} {reason}.")
        if number is None and item.region is None:
            raise InvalidRequest("A new outline has no pixels.")
        parts: list[Region | None] = [None] if item.region is None else [*parts_of(item.region)]
        for index, part in enumerate(parts):
            if index == 0 and number is not None:
                seen.add(number)
                if part != objects[number]:
                    changes.append(Change(number, objects[number], part, item.parents))
                continue
            parents = item.parents if number is None else (number,)
            changes.append(Change(next_number, None, part, parents))
            next_number += 1
        if next_number > MAX_LABELS + 1:
            raise InvalidRequest(f"An image can have at most {MAX_LABELS:,} outlines over time.")
    return tuple(changes)


def applied(objects: Objects, changes: Changes) -> dict[int, Region]:
    """Return a state with changes applied, however many others have been since they were made.

    Raises:
        ObjectConflict: an object is not as it was before, or there is another one where it would be.
    """
    different = {change.number for change in changes if objects.get(change.number) != change.before}
    state = dict(objects)
    for change in changes:
        state.pop(change.number, None)
    rest = list(state.items())
    for change in changes:
        if change.after is not None:
            different |= {number for number, region in rest if overlap(region, change.after)}
    if different:
        raise ObjectConflict.between(different)
    require_apart([change.after for change in changes if change.after is not None])
    state |= {change.number: change.after for change in changes if change.after is not None}
    return dict(sorted(state.items()))


def inverted(changes: Changes) -> Changes:
    """Return what undoes changes."""
    return tuple(replace(change, before=change.after, after=change.before) for change in changes)


def require_apart(regions: list[Region]) -> None:
    """Refuse regions of which two share a pixel.

    Raises:
        InvalidRequest: they do.
    """
    for index, region in enumerate(regions):
        if any(overlap(region, other) for other in regions[:index]):
            raise InvalidRequest("Two outlines of this change overlap; a pixel belongs to one spheroid.")
