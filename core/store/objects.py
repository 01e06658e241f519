"""The spheroids of a project as one table: pages, counts, histograms, points, streams."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from core.cache import Cache, cached_json
from core.db import Database, Row
from core.errors import InvalidRequest
from core.listing.keyset import KeyValues, SortKey, keys_of, order_by, rows_after
from core.listing.object_columns import outline_source, outline_version
from core.listing.object_table import RANGES, SORT_TYPES, SORTS
from core.models import OutlineSource, Page, Range, ReviewState
from core.store.project_generations import ProjectGenerations
from core.store.rows import measurements_of

Rows = Generator[Row, None, None]
Values = dict[str, Any]

DEFAULT_SORT = "name"
PIXEL_SIZES = "pixel sizes"  # kind of cached values


@dataclass(frozen=True, slots=True)
class ObjectFilter:
    """Conditions on a project's spheroids, all of which must hold; None and () are no condition.

    ``name`` is part of the image's name; ``calibrated`` is whether its pixel size is known.
    """

    name: str | None = None
    touches_border: bool | None = None
    ranges: tuple[Range, ...] = ()
    calibrated: bool | None = None


@dataclass(frozen=True, slots=True)
class MeasuredObject:
    """One row of a project's table of spheroids; measurements are in pixels."""

    image_id: str
    image_name: str
    um_per_px: float | None
    number: int
    measurements: dict[str, float | int | bool | None]
    confidence: float | None
    review: ReviewState = ReviewState.UNSEEN  # of its image
    review_reason: str | None = None
    outline: OutlineSource = OutlineSource.AUTOMATIC
    outline_version_id: str | None = None

    @property
    def id(self) -> str:
        """Id of the row, unique in its project."""
        return f"{self.image_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class ObjectHistogram:
    """Histogram of a column: N counts between N + 1 edges; the last bin includes its upper edge."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Two values of one spheroid."""

    image_id: str
    image_name: str
    number: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """Number of spheroids, of the images that they are on, and of those spheroids whose image is excluded."""

    objects: int
    images: int
    excluded: int = 0


class ObjectStore:
    """Reads the spheroids of a project; those of one image are in ``ResultStore``."""

    def __init__(self, db: Database, cache: Cache, generations: ProjectGenerations) -> None:
        self._db = db
        self._cache = cache
        self._generations = generations

    def page(
        self,
        project_id: str,
        conditions: ObjectFilter,
        sort: str = DEFAULT_SORT,
        limit: int = 50,
        offset: int = 0,
        after: KeyValues | None = None,
    ) -> Page[MeasuredObject]:
        """Return a page of a project's spheroids, which begins after the keys ``after`` if they are given.

        Raises:
            InvalidRequest: unknown sort or range, or keys of another order.
        """
        where, values = _where(project_id, conditions)
        keys = _keys(sort)
        condition, bound = rows_after(keys, after)
        values |= bound
        parts = {"where": where, "rows_after": condition}
        window = {"limit": limit, "offset": offset if after is None else 0}
        with self._db.read() as session:
            shape = {"order": order_by(keys), "value": keys[0].sql}
            rows = session.rows("objects.page", values | window, **parts, **shape)
            count = session.rows("objects.count", values, **parts)[0]
        items, last = tuple(_object_of(row) for row in rows), keys_of(keys, rows[-1]) if rows else ()
        return Page(items, count["total"], offset if after is None else count["before"], limit, last)

    def count(self, project_id: str, conditions: ObjectFilter) -> ObjectCount:
        """Count the spheroids that pass a filter."""
        where, values = _where(project_id, conditions)
        with self._db.read() as session:
            row = session.rows("objects.count", values, where=where, rows_after="true")[0]
        return ObjectCount(row["total"], row["images"], row["excluded"])

    def calibrated(self, project_id: str) -> bool:
        """Return whether any image with spheroids has a pixel size."""
        return self._pixel_sizes(project_id)[0]

    def partly_calibrated(self, project_id: str) -> bool:
        """Return whether some images with spheroids have a pixel size and others have none."""
        return self._pixel_sizes(project_id) == [True, True]

    def _pixel_sizes(self, project_id: str) -> list[bool]:
        """Return whether there are images with spheroids whose pixel size is known, and others."""

        def read() -> list[bool]:
            with self._db.read() as session:
                row = session.rows("objects.pixel_sizes", {"project_id": project_id})[0]
                return [row["known"], row["unknown"]]

        key = self._generations.cache_key(project_id)
        return cached_json(self._cache, PIXEL_SIZES, key, read)

    def stream(self, project_id: str, conditions: ObjectFilter, sort: str, limit: int) -> Rows:
        """Yield rows as ``ResultStore.objects`` does; close the generator if it is not read to its end."""
        where, values = _where(project_id, conditions)
        order = order_by(_keys(sort))
        values["limit"] = limit
        with self._db.read() as session:
            for chunk in session.stream("objects.stream", values, where=where, order=order):
                yield from chunk

    def histogram(
        self, project_id: str, conditions: ObjectFilter, column: str, bins: int
    ) -> ObjectHistogram | None:
        """Count the values of a column in bins of equal width; None where there is no value."""
        where, values = _where(project_id, conditions)
        value = _number(column)
        with self._db.read() as session:
            rows = session.rows("objects.bins", values | {"bins": bins}, where=where, value=value)
        if not rows:
            return None
        lowest, width = float(rows[0]["least"]), float(rows[0]["width"])
        counts = dict.fromkeys(range(bins), 0) | {row["bin"]: row["total"] for row in rows}
        return ObjectHistogram(
            tuple(lowest + width * index for index in range(bins + 1)), tuple(counts.values())
        )

    def points(
        self, project_id: str, conditions: ObjectFilter, columns: tuple[str, str], limit: int
    ) -> tuple[Point, ...]:
        """Return two columns of at most ``limit`` spheroids that have both; always the same sample."""
        where, values = _where(project_id, conditions)
        x, y = (_number(column) for column in columns)
        values["limit"] = limit
        with self._db.read() as session:
            return tuple(
                Point(**row) for row in session.rows("objects.points", values, where=where, x=x, y=y)
            )


def _where(project_id: str, conditions: ObjectFilter) -> tuple[str, Values]:
    """Return SQL conditions of a filter, each after an AND, and the values that they bind."""
    parts: list[str] = []
    values: Values = {"project_id": project_id}
    if conditions.name:
        parts.append("AND contains(lower(image.name), lower($name))")
        values["name"] = conditions.name
    if conditions.touches_border is not None:
        parts.append("AND object.touches_border = $touches_border")
        values["touches_border"] = conditions.touches_border
    if conditions.calibrated is not None:
        parts.append(f"AND image.um_per_px IS {'NOT ' if conditions.calibrated else ''}NULL")
    for place, item in enumerate(conditions.ranges):
        column = _number(item.column)
        for sign, word, bound in ((">=", "minimum", item.minimum), ("<=", "maximum", item.maximum)):
            if bound is not None:
                parts.append(f"AND {column} {sign} ${word}_{place}")
                values[f"{word}_{place}"] = _finite(item.column, bound)
    return " ".join(parts), values


def _keys(sort: str) -> tuple[SortKey, ...]:
    """Return the sort keys of a name of SORTS, descending with ``-`` before it."""
    expression = SORTS.get(sort.removeprefix("-"))
    if expression is None:
        raise InvalidRequest(f"Spheroids cannot be sorted by “{sort[:40]}”. Known: {', '.join(SORTS)}.")
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    kind = SORT_TYPES.get(name, float)
    return (
        SortKey("key", kind, descending, expression),
        SortKey("image_id", str, descending, "image.id"),
        SortKey("number", int, descending and name not in ("name", "object"), "object.number"),
    )


def _number(column: str) -> str:
    expression = RANGES.get(column)
    if expression is None:
        raise InvalidRequest(f"There is no number “{column[:40]}”. Known: {', '.join(RANGES)}.")
    return expression


def _finite(column: str, bound: object) -> float:
    if not isinstance(bound, int | float) or not math.isfinite(bound):
        raise InvalidRequest(f"A bound of {column} must be a number.")
    return float(bound)


def _object_of(row: Row) -> MeasuredObject:
    return MeasuredObject(
        image_id=row["image_id"],
        image_name=row["image_name"],
        um_per_px=row["um_per_px"],
        number=row["number"],
        measurements=measurements_of(row),
        confidence=row["confidence"],
        review=ReviewState(row["review"]),
        review_reason=row["review_reason"],
        outline=outline_source(row["outline"]),
        outline_version_id=outline_version(row["outline_version_id"], row["version_id"]),
    )
