"""Rows of lists: how each is made, and the models that the OpenAPI document describes them by.

Rows are dictionaries that become JSON without passing through pydantic: docs/decisions/0020 has the times.
``fields`` may leave out all of a row but its ``id``, so the models require no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, get_type_hints

from pydantic import BaseModel, Field, create_model

from core.http.schemas.base import Answer, ListAnswer
from core.http.schemas.states import Totals
from core.listing import api_rows, object_table
from core.models import Image, ImageRow, Job, Project, Ring, Spheroid, Version
from core.store.objects import MeasuredObject

Row = dict[str, Any]


def _model(name: str, types: dict[str, Any], base: type[BaseModel] = Answer) -> type[BaseModel]:
    """A row model: ``types`` by field, or types with their descriptions."""
    pairs = {key: item if isinstance(item, tuple) else (item, "") for key, item in types.items()}
    made = {key: (kind, Field(default=None, description=text or None)) for key, (kind, text) in pairs.items()}
    return create_model(name, __base__=base, **made | {"id": (str, ...)})  # type: ignore[call-overload, no-any-return]


def _list(rows: str, row: type[BaseModel], base: type[ListAnswer] = ListAnswer) -> type[BaseModel]:
    """A model of a part of a list, with its rows under ``rows``."""
    return create_model(f"{row.__name__}List", __base__=base, **{rows: (list[row], ...)})  # type: ignore[call-overload, no-any-return, valid-type]


def _described(described: Iterable[Any]) -> dict[str, Any]:
    return {column.name: (column.annotation, column.description) for column in described}


_PROJECT: dict[str, Any] = {
    **{"id": str, "name": str, "um_per_px": float | None, "engine": str, "params": dict[str, Any]},
    **{"created_at": datetime, "last_activity": datetime | None},
    "n_images": int,
    "counts": (dict[str, int], "Images by status."),
    "thumbnails": (list[str], "Addresses, of the newest images."),
}
_IMAGE = _described(api_rows.IMAGE_FIELDS)
_FILE_FIELDS = (
    *("project_id", "sha256", "page", "channels", "dtype", "n_bytes"),
    *("um_per_px_file", "um_per_px_from", "um_per_px_method", "own_engine", "own_params"),
)
# What the fields of a job are called in answers.
_JOB_NAMES = {
    "asked_by" if name == "requested_by" else name: name
    for name in get_type_hints(Job)
    if name not in ("sha256", "request")
}
_JOB = {name: get_type_hints(Job)[field] for name, field in _JOB_NAMES.items()}

PROJECT_FIELDS = tuple(_PROJECT)
IMAGE_FIELDS = tuple(_IMAGE)
OBJECT_FIELDS = tuple(column.name for column in api_rows.OBJECT_FIELDS)
SPHEROID_FIELDS = tuple(column.name for column in api_rows.SPHEROID_FIELDS)
JOB_FIELDS = tuple(_JOB)
# What the fields of a project's spheroids are called in exported tables.
EXPORTED_AS = {
    column.name.removesuffix("_text"): name  # of what exported tables have as text
    for name, column in object_table.EXPORTED.items()
}


class Outline(Answer):
    """Rings of (x, y) in pixels; (0.5, 0.5) is the middle of the first pixel."""

    outer: Ring
    holes: tuple[Ring, ...]


class SegmentationAnswer(Answer):
    """How a result was made."""

    id: str
    kind: str
    engine: str
    engine_version: str
    params: dict[str, Any]
    created_at: Any = Field(json_schema_extra={"type": "string", "format": "date-time"})
    timings_ms: dict[str, float]


class SpheroidListAnswer(ListAnswer):
    """A part of the spheroids of one image, and the result that they are of; null before the first."""

    image_id: str
    um_per_px: float | None
    segmentation: SegmentationAnswer | None


class JobListAnswer(ListAnswer):
    """A part of the jobs, and the totals of the queue."""

    totals: Totals


_hints = get_type_hints(Image)
ImageAnswer = _model(
    "ImageInFull",
    _IMAGE
    | {name: _hints[name] for name in _FILE_FIELDS}
    | {"segmentation_id": _hints["version_id"], "view": str, "original": str},
)
ProjectsAnswer = _list("projects", _model("Project", _PROJECT))
ImagesAnswer = _list("images", _model("Image", _IMAGE))
ObjectsAnswer = _list("objects", _model("MeasuredObject", _described(api_rows.OBJECT_FIELDS)))
SpheroidsAnswer = _list(
    "objects",
    _model("Spheroid", _described(api_rows.SPHEROID_FIELDS) | {"contour": Outline}),
    SpheroidListAnswer,
)
JobsAnswer = _list("jobs", _model("Job", _JOB), JobListAnswer)


def project_row(item: Project) -> Row:
    """One project with the counts of its images; its thumbnails are the newest images', newest first."""
    row = {name: getattr(item, name) for name in PROJECT_FIELDS}
    return row | {"thumbnails": [f"/thumbs/{image_id}" for image_id in item.thumbnails]}


def image_row(item: ImageRow) -> Row:
    """One image as a row of the table."""
    return api_rows.image_cells(item)


def image_in_full(item: Image) -> Row:
    """One image with everything that is known of its file, and where its pictures are."""
    about_file = {name: getattr(item, name) for name in _FILE_FIELDS}
    about_file["segmentation_id"] = item.version_id
    pictures = {"view": f"/views/{item.id}.png", "original": f"/downloads/images/{item.id}/original"}
    return image_row(item) | about_file | pictures


def object_row(item: MeasuredObject) -> Row:
    """One spheroid as a row of its project's table."""
    facts: Row = {"id": item.id, "image_id": item.image_id, "image_name": item.image_name}
    facts |= {"um_per_px": item.um_per_px, "number": item.number, "confidence": item.confidence}
    facts |= {"review": item.review, "review_reason": item.review_reason}
    facts |= {"outline": item.outline, "outline_version_id": item.outline_version_id, "version_id": None}
    return api_rows.object_cells(item.measurements | facts)


def spheroid_row(item: Spheroid, um_per_px: float | None, with_contour: bool) -> Row:
    """One spheroid of an image, with its outline where that is wanted."""
    row = api_rows.spheroid_cells(item, um_per_px)
    if with_contour:
        row["contour"] = {"outer": item.contour.outer, "holes": item.contour.holes}
    return row


def segmentation(item: Version) -> Row:
    """How a result was made."""
    return {name: getattr(item, name) for name in SegmentationAnswer.model_fields}


def job_row(item: Job) -> Row:
    """One job with the name of its image."""
    return {name: getattr(item, field) for name, field in _JOB_NAMES.items()}
