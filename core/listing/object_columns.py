"""The columns of the tables of spheroids, each described once; ``object_table`` generates the rest from it.

To add a measurement: a line in ``core.models.MEASUREMENTS``, a migration that adds it to the table
``object``, and its value in ``core.segmentation.measurement``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from core import __version__
from core.listing.columns import Column, Format, Shown, exported_only
from core.listing.image_columns import CONFIDENCE, PATH, SETTINGS, VERSION
from core.listing.review_columns import REVIEW_OF_IMAGE
from core.models import MEASUREMENTS, MeasurementDefinition, OutlineSource, PixelSizeSource
from core.segmentation.confidence import doubtful

# Of the measurements that are shown by default: all of them fit on a laptop's screen.
_WIDTHS = {"area": 96, "equivalent_diameter": 84, "aspect_ratio": 118, "solidity": 92, "touches_border": 84}


def whole(value: float | None) -> int | None:
    """A count, which the database stores as a number with a fraction."""
    return None if value is None else int(value)


def reasons_text(reasons: Mapping[str, str] | str) -> str | None:
    """Return reasons of missing values as ``name: reason; …``; they are given by name, or as JSON."""
    by_name: Mapping[str, str] = json.loads(reasons) if isinstance(reasons, str) else reasons
    return "; ".join(f"{name}: {reason}" for name, reason in by_name.items()) or None


def outline_source(stored: str | None) -> OutlineSource:
    """Whose an outline is, of the column of the database, which is null for an engine's."""
    return OutlineSource(stored or OutlineSource.AUTOMATIC)


def outline_version(taken_from: str | None, version_id: str | None) -> str | None:
    """The version whose outline a spheroid has: the one that it was taken over from unchanged, or its own."""
    return taken_from or version_id


def _measured(definition: MeasurementDefinition) -> Column:
    compute: Callable[..., Any] | None = whole if definition.type is int else None
    is_number = definition.type is not bool
    return Column(
        definition.name,
        definition.label,
        f"{definition.label}: {definition.formula}",
        type=definition.type,
        unit=definition.unit,
        dimension=definition.dimension,
        formula=definition.formula,
        sql=f"object.{definition.name}",
        compute=compute,
        inputs=(definition.name,),
        sort=definition.name,
        filter=definition.name if is_number else None,
        export=definition.export_name,
        shown=Shown.DEFAULT if definition.header else Shown.ON_DEMAND,
        format=Format.NUMBER if is_number else Format.YES_NO,
        header=definition.header,
        width=_WIDTHS.get(definition.name, 104),
    )


_ID = Column("id", "Id", "Id of the row in its list", type=str, required=True)
_OF_IMAGE = (
    replace(PATH, required=True),
    Column("image_id", "Image's id", "Id of the image", type=str, required=True, sql="image.id"),
    Column(
        "image_name",
        "Image",
        "Name of the image",
        type=str,
        required=True,
        sql="image.name",
        sort="name",
        export="image",
        shown=Shown.DEFAULT,
        format=Format.NAME,
        width=150,
    ),
    Column(
        "um_per_px",
        "Pixel size",
        "Micrometres that a pixel of the image is wide and high",
        unit="µm/px",
        sql="image.um_per_px",
        exact=True,
        export="um_per_px",
    ),
    exported_only(
        "um_per_px_source",
        "Source of the pixel size",
        "Where the pixel size comes from: project, file or user",
        type=PixelSizeSource,
    ),
)
_NUMBER = Column(
    "object",
    "Spheroid",
    "Number of the spheroid in the label image",
    type=int,
    required=True,
    sql="object.number",
    inputs=("number",),
    sort="object",
    export="object",
    shown=Shown.DEFAULT,
    format=Format.NUMBERED,
    header="#",
    width=60,
)
_MEASURED = tuple(_measured(definition) for definition in MEASUREMENTS)
_TRUST = (
    Column(
        "confidence",
        "Confidence",
        "Expected intersection over union with a person's outline, 0 to 1",
        unit="ratio",
        formula=CONFIDENCE,
        sql="object.confidence",
        sort="confidence",
        filter="confidence",
        export="confidence",
        shown=Shown.DEFAULT,
        format=Format.CONFIDENCE,
    ),
    Column(
        "look_at_this",
        "Look at this",
        "Whether somebody should look at the outline before using the numbers",
        type=bool,
        required=True,
        listed=False,
        compute=doubtful,
        inputs=("confidence",),
        export="look_at_this",
    ),
    Column(
        "reasons", "Reasons", "Why a value is null, by name", type=dict[str, str], required=True, listed=False
    ),
    Column(
        "reasons_text",
        "Reasons",
        "Why cells are empty: name and reason, with semicolons between",
        type=str,
        listed=False,
        compute=reasons_text,
        inputs=("reasons",),
        api=False,
        export="reasons",
    ),
)
_ORIGIN = (
    Column(
        "outline",
        "Outline",
        "Who made this spheroid's outline, and with it its numbers: automatic by the engine, corrected by a "
        "person, or imported from a file. What a correction has not changed stays automatic",
        type=OutlineSource,
        required=True,
        listed=False,
        compute=outline_source,
        inputs=("outline",),
        export="outline",
        shown=Shown.ON_DEMAND,
        format=Format.TEXT,
    ),
    Column(
        "outline_version_id",
        "Version of the outline",
        "Id of the version whose outline it is: an earlier one where a correction has left it as it was",
        type=str,
        listed=False,
        compute=outline_version,
        inputs=("outline_version_id", "version_id"),
        export="outline_version_id",
    ),
)
_RESULT = (
    exported_only("engine", "Engine", "What predicted the outlines", required=True),
    exported_only(
        "engine_version", "Engine's version", "Version of the engine, or of its weights", required=True
    ),
    replace(SETTINGS, required=True),
    *VERSION,
    exported_only(
        "spheroscope_version",
        "Version",
        "Version of Spheroscope that wrote the file",
        required=True,
        compute=lambda: __version__,
    ),
)

OBJECT_COLUMNS = (_ID, *_OF_IMAGE, _NUMBER, *_MEASURED, *_TRUST, *REVIEW_OF_IMAGE, *_ORIGIN, *_RESULT)
# Those that the API has in the list of a project's spheroids, and of an image's.
PROJECT_LIST = (_ID, *_OF_IMAGE, _NUMBER, *_MEASURED, *_TRUST[:2], *REVIEW_OF_IMAGE, *_ORIGIN)
IMAGE_LIST = (_ID, _NUMBER, *_MEASURED, *_TRUST, *_ORIGIN)
