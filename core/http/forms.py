"""Models as the JSON that the API answers. Names and units are a contract; see docs/http_api.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from core.export import Export, ExportState
from core.listing import columns
from core.listing.columns import Cell
from core.models import (
    Contour,
    Dimension,
    Image,
    ImageRow,
    Job,
    Project,
    Ring,
    Spheroid,
    StoredSegmentation,
)
from core.queue.status import Snapshot
from core.segmentation.confidence import doubtful
from core.store.jobs import QueueTotals
from core.store.objects import MeasuredObject

Form = dict[str, object]

# What ``fields`` may name of each list's rows.
PROJECT_FIELDS = (
    *("id", "name", "um_per_px", "engine", "params", "created_at", "last_activity", "n_images", "counts"),
    "thumbnails",
)
IMAGE_FIELDS = (
    *("id", "name", "status", "error", "error_code", "n_objects"),
    *("largest_diameter_px", "largest_diameter_um", "largest_area_px", "largest_area_um2"),
    *(
        "largest_circularity",
        "confidence",
        "look_at_this",
        "um_per_px",
        "um_per_px_source",
        "width",
        "height",
        "bit_depth",
    ),
    *("created_at", "seconds", "thumbnail"),
)
SPHEROID_FIELDS = (
    *("id", "object", *columns.MEASUREMENT_COLUMNS),
    *("confidence", "look_at_this", "reasons"),
)
OBJECT_FIELDS = ("id", "image_id", "image_name", "um_per_px", "object", *columns.MEASUREMENT_COLUMNS)
# What the columns of a project's spheroids are called in objects.csv.
SHOWN_AS = {"image_name" if name == "path" else name: name for name in columns.OBJECT_COLUMNS}
JOB_FIELDS = tuple(field.name for field in fields(Job) if field.name != "sha256")
# One pixel more or less of a spheroid 500 px across shows in the sixth digit of its diameter. What follows
# cannot be measured, nor compressed: it is left to the files to download, which have all digits.
DIGITS = 6


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
    size = item.um_per_px
    return {
        "id": item.id,
        "name": item.name,
        "status": item.status,
        "error": item.error,
        "error_code": item.error_code,
        "n_objects": item.n_objects,
        "largest_diameter_px": told(item.largest_diameter_px),
        "largest_diameter_um": told(columns.scaled(item.largest_diameter_px, Dimension.LENGTH, size)),
        "largest_area_px": told(item.largest_area_px),
        "largest_area_um2": told(columns.scaled(item.largest_area_px, Dimension.AREA, size)),
        "largest_circularity": told(item.largest_circularity),
        "confidence": told(item.confidence),
        "look_at_this": doubtful(item.confidence),
        "um_per_px": size,
        "um_per_px_source": item.um_per_px_source,
        "width": item.width,
        "height": item.height,
        "bit_depth": item.bit_depth,
        "created_at": item.created_at,
        "seconds": told(item.seconds),
        "thumbnail": thumbnail(item),
    }


def image_in_full(item: Image) -> Form:
    """One image with everything that is known of its file, and where its pictures are."""
    return image(item) | {
        "project_id": item.project_id,
        "segmentation_id": item.segmentation_id,
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


def thumbnail(item: ImageRow) -> str:
    """Where the right thumbnail is: a new result has a new address, so it may be cached for ever."""
    return f"/thumbs/{item.id}?v={item.segmentation_id or 'raw'}"


def segmentation(item: StoredSegmentation) -> Form:
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
    form: Form = {
        "id": str(item.number),
        "object": item.number,
        **_measurements(item.measurements, um_per_px),
        "confidence": told(item.confidence),
        "look_at_this": doubtful(item.confidence),
        "reasons": item.reasons,
    }
    return form | {"contour": _contour(item.contour)} if with_contour else form


def measured(item: MeasuredObject) -> Form:
    """One spheroid as a row of its project's table."""
    return {
        "id": item.id,
        "image_id": item.image_id,
        "image_name": item.image_name,
        "um_per_px": item.um_per_px,
        "object": item.number,
        **_measurements(item.measurements, item.um_per_px),
    }


def job(item: Job) -> Form:
    """One job with the name of its image."""
    return {name: getattr(item, name) for name in JOB_FIELDS}


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


def told(value: Cell) -> Cell:
    """A measured number as it is sent; what is counted stays as it is."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _measurements(values: Mapping[str, float | int | bool | None], um_per_px: float | None) -> Form:
    return {name: told(value) for name, value in columns.measurement_cells(values, um_per_px).items()}


def _contour(item: Contour) -> dict[str, Ring | tuple[Ring, ...]]:
    return {"outer": item.outer, "holes": item.holes}


def export(item: Export) -> Form:
    """An export and where to take it from once it is ready."""
    ready = item.state is ExportState.READY
    return {name: getattr(item, name) for name in Export.__slots__} | {
        "download": f"/downloads/exports/{item.id}.zip" if ready else None
    }
