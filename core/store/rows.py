"""Rows of the database turned into models, and models into rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson

from core.images.memory import Extent, segmenting_bytes
from core.listing.image_table import ENUMS, row_type
from core.listing.object_columns import outline_source, outline_version
from core.models import (
    MEASUREMENTS,
    Contour,
    Finding,
    Image,
    ImageRow,
    ImageStatus,
    Job,
    JobState,
    OutlineSource,
    PixelSizeMethod,
    Priority,
    Project,
    ReviewSettings,
    Ring,
    Spheroid,
    SpheroidsExpected,
    Version,
    VersionKind,
)

Row = Mapping[str, Any]

_COUNTS = tuple(definition.name for definition in MEASUREMENTS if definition.type is int)
_IMAGE: type[Image] = row_type(Image)
_IMAGE_ROW: type[ImageRow] = row_type(ImageRow)


def project_of(row: Row, totals: Row) -> Project:
    """A row of projects.list with its row of projects.totals as JSON, or nothing where it has no images."""
    created_at: datetime = row["created_at"]
    last = totals.get("last_image_at")
    return Project(
        id=row["id"],
        name=row["name"],
        um_per_px=row["um_per_px"],
        engine=row["engine"],
        params=json.loads(row["params"]),
        created_at=created_at,
        counts={status: totals.get(status.value, 0) for status in ImageStatus},
        findings={finding: totals.get(finding.value, 0) for finding in Finding},
        last_activity=max(created_at, datetime.fromisoformat(last)) if last else created_at,
        thumbnails=tuple(totals.get("newest") or ()),
        review=review_settings_of(row),
    )


def review_settings_of(row: Row) -> ReviewSettings:
    """Return what a project's review goes by, of a row with its columns."""
    expected = row["spheroids_expected"]
    return ReviewSettings(
        None if expected is None else SpheroidsExpected(expected),
        row["reason_needed"],
        row["second_opinions"] or 0,
    )


def image_of(row: Row) -> Image:
    """A row of the image table."""
    values = _image_values(_IMAGE, {**row, "own_settings": row["own_engine"] is not None})
    if values["own_params"] is not None:
        values["own_params"] = json.loads(values["own_params"])
    if values["um_per_px_method"] is not None:
        values["um_per_px_method"] = PixelSizeMethod(values["um_per_px_method"])
    return _IMAGE(**values)


def image_row_of(row: Row) -> ImageRow:
    """A row of the listed columns."""
    return _IMAGE_ROW(**_image_values(_IMAGE_ROW, row))


def _image_values(kind: type[ImageRow], row: Row) -> dict[str, Any]:
    values = {field.name: row[field.name] for field in fields(kind)}
    for name, words in ENUMS.items():
        if values[name] is not None:
            values[name] = words(values[name])
    return values


def job_of(row: Row) -> Job:
    """A row of the job table joined with its image's name, file and page."""
    values = {key: row[key] for key in Job.__slots__ if key != "memory_bytes"}
    values["memory_bytes"] = segmenting_bytes(Extent.of_row(row))
    values["state"] = JobState(row["state"])
    values["priority"] = Priority(row["priority"])
    values["params"] = json.loads(row["params"])
    values["timings_ms"] = json.loads(row["timings_ms"] or "{}")
    return Job(**values)


def version_of(row: Row) -> Version:
    """A row of the version table."""
    values = {field.name: row[field.name] for field in fields(Version)}
    values["kind"] = VersionKind(row["kind"])
    values["params"] = json.loads(row["params"])
    values["timings_ms"] = json.loads(row["timings_ms"])
    return Version(**values)


def spheroid_of(row: Row) -> Spheroid:
    """A row of the object table."""
    rings = [_ring(points) for points in orjson.loads(row["contour"])]
    return Spheroid(
        number=row["number"],
        contour=Contour(rings[0], tuple(rings[1:])),
        measurements=measurements_of(row),
        reasons=json.loads(row["reasons"]),
        confidence=row["confidence"],
        outline=outline_source(row["outline"]),
        outline_version_id=outline_version(row["outline_version_id"], row["version_id"]),
    )


def measurements_of(row: Row) -> dict[str, float | int | bool | None]:
    """The measurements of a row of the object table, counts as whole numbers."""
    measurements = {column.name: row[column.name] for column in MEASUREMENTS}
    for name in _COUNTS:
        if measurements[name] is not None:
            measurements[name] = int(measurements[name])
    return measurements


# Columns of the table ``object``, in the order of ``object_rows``.
OBJECT_ROW = (
    "version_id",
    "image_id",
    "number",
    *(column.name for column in MEASUREMENTS),
    "reasons",
    "confidence",
    "contour",
    "outline",
    "outline_version_id",
)


def object_rows(
    version_id: str,
    image_id: str,
    spheroids: Iterable[Spheroid],
    source: OutlineSource = OutlineSource.AUTOMATIC,
) -> list[tuple[object, ...]]:
    """Rows for the object table, one a spheroid, with the values of OBJECT_ROW.

    ``source`` is that of the outlines which no version has yet.
    """
    return [
        (
            version_id,
            image_id,
            item.number,
            *(item.measurements[column.name] for column in MEASUREMENTS),
            json.dumps(item.reasons),
            item.confidence,
            orjson.dumps([item.contour.outer, *item.contour.holes]).decode(),
            *_origin(item, source),
        )
        for item in spheroids
    ]


def _origin(item: Spheroid, source: OutlineSource) -> tuple[str | None, str | None]:
    """Values of the columns outline and outline_version_id; null is an engine's, and the own version."""
    outline = source if item.outline_version_id is None else item.outline
    return None if outline is OutlineSource.AUTOMATIC else outline.value, item.outline_version_id


def canonical_json(value: object) -> str:
    """JSON without spaces, keys in order: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _ring(points: Iterable[Iterable[float]]) -> Ring:
    return tuple((float(x), float(y)) for x, y in points)
