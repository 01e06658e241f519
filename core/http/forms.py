"""Models as the JSON that the API answers. Names and units are a contract; see docs/http_api.md."""

from __future__ import annotations

from dataclasses import fields

from core.export import Export, ExportState
from core.listing import api_rows, export_rows
from core.models import (
    Contour,
    Image,
    ImageRow,
    Job,
    Project,
    Ring,
    Spheroid,
    Version,
)
from core.queue.status import Snapshot
from core.store.jobs import QueueTotals
from core.store.objects import MeasuredObject

Form = dict[str, object]

# What ``fields`` may name of each list's rows.
PROJECT_FIELDS = (
    *("id", "name", "um_per_px", "engine", "params", "created_at", "last_activity", "n_images", "counts"),
    "thumbnails",
)
IMAGE_FIELDS = tuple(column.name for column in api_rows.IMAGE_FIELDS)
SPHEROID_FIELDS = tuple(column.name for column in api_rows.SPHEROID_FIELDS)
OBJECT_FIELDS = tuple(column.name for column in api_rows.OBJECT_FIELDS)
# What the columns of a project's spheroids are called in objects.csv.
SHOWN_AS = {"image_name" if name == "path" else name: name for name in export_rows.OBJECT_HEADER}
_JOB = {
    "asked_by" if field.name == "requested_by" else field.name: field.name
    for field in fields(Job)
    if field.name not in ("sha256", "request")
}
JOB_FIELDS = tuple(_JOB)


def project(item: Project) -> Form:
    """One project with the counts of its images; its thumbnails are the newest images', newest first."""
    return {
        "id": item.id,
        "name": item.name,
        "um_per_px": item.um_per_px,
        "engine": item.engine,
        "params": item.params,
        "created_at": item.created_at,
        "last_activity": item.last_activity,
        "n_images": item.n_images,
        "counts": item.counts,
        "thumbnails": [f"/thumbs/{image_id}" for image_id in item.thumbnails],
    }


def image(item: ImageRow) -> Form:
    """One image as a row of the table."""
    return api_rows.image_cells(item)


def image_in_full(item: Image) -> Form:
    """One image with everything that is known of its file, and where its pictures are."""
    return image(item) | {
        "project_id": item.project_id,
        "segmentation_id": item.version_id,
        "sha256": item.sha256,
        "page": item.page,
        "channels": item.channels,
        "dtype": item.dtype,
        "n_bytes": item.n_bytes,
        "um_per_px_file": item.um_per_px_file,
        "um_per_px_from": item.um_per_px_from,
        "view": f"/views/{item.id}.png",
        "original": f"/downloads/images/{item.id}/original",
    }


def segmentation(item: Version) -> Form:
    """How a result was made."""
    return {
        "id": item.id,
        "kind": item.kind,
        "engine": item.engine,
        "engine_version": item.engine_version,
        "params": item.params,
        "created_at": item.created_at,
        "timings_ms": item.timings_ms,
    }


def spheroid(item: Spheroid, um_per_px: float | None, with_contour: bool) -> Form:
    """One spheroid with the columns of objects.csv, and its outline where that is wanted."""
    form = api_rows.spheroid_cells(item, um_per_px)
    return form | {"contour": _contour(item.contour)} if with_contour else form


def measured(item: MeasuredObject) -> Form:
    """One spheroid as a row of its project's table."""
    facts: Form = {"id": item.id, "image_id": item.image_id, "image_name": item.image_name}
    facts |= {"um_per_px": item.um_per_px, "number": item.number}
    return api_rows.object_cells({**item.measurements, **facts})


def job(item: Job) -> Form:
    """One job with the name of its image."""
    return {name: getattr(item, field) for name, field in _JOB.items()}


def totals(item: QueueTotals) -> Form:
    """How many jobs stand where, over all projects, and how long the rest will take."""
    return {
        "counts": dict(item.counts),
        "left": item.left,
        "per_second": item.per_second,
        "seconds_left": item.seconds_left,
    }


def queue(item: Snapshot) -> Form:
    """How far the queue is, how it is, and what its workers do."""
    state = item.state
    return totals(item.totals) | {
        "progress": item.progress,
        "light": item.light,
        "message": item.message,
        "workers": state.slots,
        "running": state.running,
        "lost": state.lost,
        "memory_taken_bytes": state.memory_taken_bytes,
        "memory_total_bytes": state.memory_total_bytes,
    }


def _contour(item: Contour) -> dict[str, Ring | tuple[Ring, ...]]:
    return {"outer": item.outer, "holes": item.holes}


def export(item: Export) -> Form:
    """An export and where to take it from once it is ready."""
    ready = item.state is ExportState.READY
    return {name: getattr(item, name) for name in Export.__slots__} | {
        "download": f"/downloads/exports/{item.id}.zip" if ready else None
    }
