"""Label images and gestures drawn at random, by a seed or by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.clock import utc_now
from core.corrections import Draft, Entry, NewRegion, Region, Tool, regions_of
from core.corrections.operations import Objects, planned
from core.corrections.splitting import split
from core.errors import InvalidRequest
from tests.corrections import strokes

SHAPE = (40, 48)
GESTURES = [tool for tool in Tool if tool not in (Tool.UNDO, Tool.REDO)]


def random_labels(rng: np.random.Generator, shape: tuple[int, int] = SHAPE) -> NDArray[np.int32]:
    """Discs with holes over one another, single pixels, and numbers that are left out."""
    labels = np.zeros(shape, np.int32)
    rows, columns = np.indices(shape)
    for number in rng.permutation(9)[: rng.integers(0, 7)] + 1:
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        away = np.hypot(rows - y, columns - x)
        outer = rng.uniform(0.5, 14)
        labels[(away <= outer) & (away > rng.uniform(-1, 0.8) * outer)] = number
    labels[rng.random(shape) < 0.01] = 0
    return labels


def random_gesture(rng: np.random.Generator, draft: Draft) -> tuple[Tool, list[NewRegion]]:
    """What one gesture of a random tool makes of a draft's objects; perhaps nothing."""
    objects, shape = draft.objects, draft.shape
    points = [
        (float(x), float(y)) for x, y in rng.uniform(0, (shape[1], shape[0]), (int(rng.integers(1, 5)), 2))
    ]
    numbers = [int(number) for number in rng.permutation(list(objects))[:2]] if objects else []
    tool = Tool(rng.choice(GESTURES))
    painted = numbers[0] if numbers and rng.random() < 0.7 else None
    x, y = points[0]
    ring = points if len(points) > 2 else [(x, y), (x + 9, y), (x, y + 9)]
    gestures: dict[Tool, Callable[[], list[NewRegion]]] = {
        Tool.BRUSH: lambda: strokes.brush(objects, painted, points, 2.5, shape),
        Tool.ERASE: lambda: strokes.erase(objects, numbers, points, 2.0, shape),
        Tool.DRAW: lambda: strokes.lasso(objects, ring, shape),
        Tool.CUT: lambda: strokes.cut(objects, numbers, points, shape),
        Tool.MERGE: lambda: strokes.merge(objects, numbers, shape),
        Tool.DELETE: lambda: strokes.delete(numbers[:1]),
        Tool.FILL: lambda: strokes.fill(objects, numbers),
        Tool.BEND: lambda: strokes.bend(objects, numbers[:1], points[0], shape),
        Tool.CLICK: lambda: split(objects, *_two_pixels(rng, objects, numbers), shape),
    }
    return tool, _or_nothing(gestures[tool])


def _or_nothing(gesture: Callable[[], list[NewRegion]]) -> list[NewRegion]:
    """What a gesture makes of objects; nothing where it cannot be, as outlines too far apart to be one."""
    try:
        return gesture()
    except InvalidRequest:
        return []


def _two_pixels(rng: np.random.Generator, objects: Objects, numbers: list[int]) -> list[tuple[float, float]]:
    """Two pixels of one object, as points (x, y); two corners of the image where there is no object."""
    if not numbers:
        return [(0.5, 0.5), (1.5, 1.5)]
    region = objects[numbers[0]]
    rows, columns = np.nonzero(region.mask)
    places = rng.integers(0, len(rows), 2)
    return [(region.x + columns[place] + 0.5, region.y + rows[place] + 0.5) for place in places]


def with_gesture(draft: Draft, author: str, tool: Tool, regions: list[NewRegion]) -> Draft:
    """The draft after a gesture; the same one where that changes nothing."""
    changes = planned(draft.objects, regions, draft.next_number)
    return with_changes(draft, author, tool, changes) if changes else draft


def with_changes(draft: Draft, author: str, tool: Tool, changes: tuple[object, ...]) -> Draft:
    revision = draft.revision + 1
    return draft.with_entry(Entry(revision, f"op {revision}", author, tool, changes, utc_now()))  # type: ignore[arg-type]


def begin(labels: NDArray[np.int32]) -> Draft:
    return Draft.begin("image", "version", labels.shape, regions_of(labels))  # type: ignore[arg-type]


def square(x: int, y: int, side: int) -> Region:
    region = Region.of(np.ones((side, side), np.bool_), x, y)
    assert region is not None
    return region


def disc(shape: tuple[int, int], x: float, y: float, radius: float) -> NDArray[np.bool_]:
    """A disc around (x, y) as a mask."""
    rows, columns = np.indices(shape)
    return np.hypot(rows + 0.5 - y, columns + 0.5 - x) <= radius


def region(mask: NDArray[np.bool_]) -> Region:
    """The region of a mask that has pixels."""
    found = Region.of(mask)
    assert found is not None
    return found
