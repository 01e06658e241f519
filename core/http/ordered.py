"""Sorts lists that are in memory: the projects, and the spheroids of one image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from core.errors import InvalidRequest
from core.models import MEASUREMENTS, ImageStatus, Project, Spheroid

T = TypeVar("T")
Keys = Mapping[str, Callable[[T], Any]]

PROJECT_KEYS: Keys[Project] = {
    "activity": lambda item: item.last_activity,
    "name": lambda item: item.name.lower(),
    "created": lambda item: item.created_at,
    "images": lambda item: item.n_images,
    "done": lambda item: item.counts.get(ImageStatus.DONE, 0),
    "failed": lambda item: item.counts.get(ImageStatus.FAILED, 0),
    "pixel_size": lambda item: item.um_per_px,
}
SPHEROID_KEYS: Keys[Spheroid] = {
    "object": lambda item: item.number,
    **{
        column.name: lambda item, name=column.name: item.measurements[name]  # type: ignore[misc]
        for column in MEASUREMENTS
    },
}


def ordered(items: Iterable[T], sort: str, keys: Keys[T], what: str) -> list[T]:
    """``items`` by one of ``keys``, with ``-`` before it for descending; those without a value come last.

    Equal ones stay as they were.

    Raises:
        InvalidRequest: there is no such key.
    """
    key = keys.get(sort.removeprefix("-"))
    if key is None:
        raise InvalidRequest(f"{what} cannot be sorted by “{sort[:40]}”. Known: {', '.join(keys)}.")
    items = list(items)
    valued = [item for item in items if key(item) is not None]
    empty = [item for item in items if key(item) is None]
    return sorted(valued, key=key, reverse=sort.startswith("-")) + empty


def position_of(item_id: object, ids: Iterable[str]) -> int | None:
    """Return how many come up to and with the one of this id; None where it is not among them."""
    return next((position for position, key in enumerate(ids, start=1) if key == item_id), None)
