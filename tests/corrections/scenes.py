"""Label images and gestures drawn at random, by a seed or by Hypothesis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.clock import utc_now
from core.corrections import Draft, Entry, NewRegion, Region, Tool, regions_of, tools
from core.corrections.operations import planned

SHAPE = (40, 48)


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
    tool = rng.choice([Tool.BRUSH, Tool.ERASE, Tool.DRAW, Tool.CUT, Tool.MERGE, Tool.DELETE, Tool.FILL])
    match tool:
        case Tool.ERASE:
            return tool, tools.erase(objects, numbers, points, 2.0, shape)
        case Tool.DRAW if len(points) > 2:
            return tool, tools.lasso(objects, points, shape)
        case Tool.CUT:
            return tool, tools.cut(objects, numbers, points, shape)
        case Tool.DELETE:
            return tool, tools.delete(numbers[:1])
        case Tool.FILL:
            return tool, tools.fill(objects, numbers)
        case _:
            number = numbers[0] if numbers and rng.random() < 0.7 else None
            return Tool.BRUSH, tools.brush(objects, number, points, 2.5, shape)


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
