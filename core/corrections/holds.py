"""Holds: which image somebody looks at now, so that nobody else is given it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

HELD_SECONDS = 600.0  # for which an image that one person has been given is not given to another


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who looks at images, in one of their windows.

    No image is given to two people, nor to two windows of one person as long as there are others.
    """

    person: str
    window: str = ""


@dataclass(frozen=True, slots=True)
class _Hold:
    reviewer: Reviewer
    until: float


class Holds:
    """Images by who looks at them. Its caller sees to it that one thread at a time uses it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: dict[str, _Hold] = {}

    @property
    def images(self) -> tuple[str, ...]:
        """Ids of those that are held, or were lately."""
        return tuple(self._held)

    def take(self, image_id: str, reviewer: Reviewer) -> None:
        """Hold an image for ten minutes, and what else the same window has held no longer."""
        now = self._clock()
        self._held = {
            key: hold for key, hold in self._held.items() if hold.reviewer != reviewer and hold.until >= now
        }
        self._held[image_id] = _Hold(reviewer, now + HELD_SECONDS)

    def renew(self, image_id: str, person: str) -> None:
        """Hold an image for ten minutes more, if it was given to this person last."""
        hold = self._held.get(image_id)
        if hold is not None and hold.reviewer.person == person:
            self._held[image_id] = _Hold(hold.reviewer, self._clock() + HELD_SECONDS)

    def drop(self, image_id: str) -> None:
        """Hold an image no longer, whoever has it."""
        self._held.pop(image_id, None)

    def has(self, image_id: str, reviewer: Reviewer) -> bool:
        """Whether this window was given an image last, however long ago."""
        hold = self._held.get(image_id)
        return hold is not None and hold.reviewer == reviewer

    def elsewhere(self, image_id: str, person: str) -> bool:
        """Whether another person looks at an image now."""
        hold = self._current(image_id)
        return hold is not None and hold.reviewer.person != person

    def in_other_window(self, image_id: str, reviewer: Reviewer) -> bool:
        """Whether it is looked at now in another window, or by another person."""
        hold = self._current(image_id)
        return hold is not None and hold.reviewer != reviewer

    def _current(self, image_id: str) -> _Hold | None:
        hold = self._held.get(image_id)
        return hold if hold is not None and hold.until >= self._clock() else None
