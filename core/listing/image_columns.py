"""The columns of the table of images, each described once; ``image_table`` generates the rest from it.

To add one: an entry in ``IMAGE_COLUMNS`` and a migration that adds it to the table ``image``. A column that
belongs to a result is also one of the table ``version``, and ``core.models.summary`` computes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from core import __version__
from core.listing.columns import Column, Format, Shown, exported_only
from core.listing.quality_columns import QUALITY_COLUMNS
from core.listing.review_columns import REVIEW_COLUMNS
from core.models import Dimension, ImageStatus, PixelSizeSource, VersionKind
from core.segmentation.confidence import doubtful

CONFIDENCE = "expected intersection over union with a person's outline, fitted on images unseen in training"


def thumbnail_address(image_id: str, version_id: str | None) -> str:
    """Address of an image's thumbnail: a new result has a new one, so answers may be cached for ever."""
    return f"/thumbs/{image_id}?v={version_id or 'raw'}"


def params_text(params: Mapping[str, object] | str | None) -> str | None:
    """Parameters, given by name or as JSON, as JSON with its keys in order."""
    if params is None:
        return None
    return _in_order(params) if isinstance(params, str) else _json(params)


def _json(params: object) -> str:
    return json.dumps(params, sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=256)  # most rows of a table repeat those of the row before
def _in_order(params: str) -> str:
    return _json(json.loads(params))


# Columns that both exported tables have.
PATH = exported_only(
    "path",
    "Path",
    "Where the file was: as given to the command line; in the app the name of the file. Pages of a file have "
    "`#` and the page's number behind it",
)
SETTINGS = exported_only(
    "params",
    "Settings",
    "Settings of the segmentation that made the outlines, as JSON",
    compute=params_text,
    inputs=("params",),
)
VERSION = (
    exported_only(
        "version_id",
        "Version",
        "Id of the version of the outlines in the app; empty in tables of the command line",
    ),
    exported_only(
        "version_kind",
        "Kind of version",
        "Whose the result is: automatic of the engine, or corrected by a person, who may have kept outlines",
        type=VersionKind,
    ),
)
IMAGE_COLUMNS: tuple[Column, ...] = (
    Column("id", "Id", "Id of the image", type=str, required=True),
    PATH,
    Column(
        "name",
        "Name",
        "Name of the file; of a page of several, with the page's number",
        type=str,
        required=True,
        sort="name",
        export="image",
        shown=Shown.DEFAULT,
        format=Format.NAME,
        width=125,
        position=10,
    ),
    Column(
        "status",
        "Status",
        "Status of the image: new, queued, running, done or failed; done with an error where the last try "
        "failed and the earlier result is kept",
        type=ImageStatus,
        required=True,
        sort="status",
        export="status",
        shown=Shown.DEFAULT,
        format=Format.STATUS,
        width=118,
        position=20,
    ),
    Column("error_code", "Error code", "Short name of why segmenting failed", type=str, export="error_code"),
    Column("error", "Error", "Why segmenting failed, in words", type=str, export="error"),
    exported_only("page", "Page", "Page of the file, counted from 1", type=int, required=True),
    Column("width", "Width", "Width of the image", type=int, required=True, unit="px", export="width_px"),
    Column("height", "Height", "Height of the image", type=int, required=True, unit="px", export="height_px"),
    Column(
        "bit_depth",
        "Bit depth",
        "Significant bits of a pixel",
        type=int,
        required=True,
        unit="bits",
        export="bit_depth",
    ),
    Column(
        "um_per_px",
        "Pixel size",
        "Micrometres that a pixel is wide and high",
        unit="µm/px",
        exact=True,
        sort="pixel_size",
        filter="pixel_size",
        export="um_per_px",
        shown=Shown.DEFAULT,
        header="µm/px",
        tooltip="um_per_px_source",
        width=78,
        position=60,
    ),
    Column(
        "um_per_px_source",
        "Source of the pixel size",
        "Where the pixel size comes from: project, file or user",
        type=PixelSizeSource,
        export="um_per_px_source",
    ),
    exported_only(
        "um_per_px_file",
        "Pixel size in the file",
        "Micrometres a pixel by the file's own tags, whichever pixel size is used",
        type=float,
        unit="µm/px",
        exact=True,
    ),
    exported_only(
        "um_per_px_from", "Tag of the pixel size", "Which of the file's tags um_per_px_file is from"
    ),
    Column(
        "n_objects",
        "Spheroids",
        "Number of spheroids of the current result",
        type=int,
        unit="count",
        summary=True,
        sort="objects",
        filter="objects",
        export="n_objects",
        shown=Shown.DEFAULT,
        format=Format.COUNT,
        width=112,
        position=30,
    ),
    Column(
        "largest_diameter_px",
        "Ø largest",
        "Equivalent diameter of the largest spheroid",
        unit="px",
        dimension=Dimension.LENGTH,
        formula="of the image's spheroids, the greatest equivalent_diameter",
        summary=True,
        sort="diameter",
        filter="diameter_px",
        export="largest_equivalent_diameter_px",
        shown=Shown.DEFAULT,
        format=Format.SIZE,
        width=104,
        position=40,
    ),
    Column(
        "largest_area_px",
        "Area of the largest",
        "Area of the largest spheroid",
        unit="px²",
        dimension=Dimension.AREA,
        summary=True,
        sort="area",
        filter="area_px",
        position=45,
    ),
    Column(
        "largest_circularity",
        "Circularity",
        "Circularity of the spheroid with the largest area",
        unit="ratio",
        summary=True,
        sort="circularity",
        filter="circularity",
        shown=Shown.ON_DEMAND,
        width=104,
    ),
    Column(
        "confidence",
        "Confidence",
        "Expected intersection over union with a person's outlines, 0 to 1",
        unit="ratio",
        formula=CONFIDENCE,
        summary=True,
        sort="confidence",
        filter="confidence",
        export="confidence",
        shown=Shown.DEFAULT,
        format=Format.CONFIDENCE,
        width=112,
    ),
    Column(
        "look_at_this",
        "Look at this",
        "Whether somebody should look at the outlines before using the numbers",
        type=bool,
        required=True,
        listed=False,
        compute=doubtful,
        inputs=("confidence",),
        export="look_at_this",
    ),
    Column(
        "own_settings",
        "Own settings",
        "Whether engine and settings were accepted for this image alone, in place of its project's",
        type=bool,
        required=True,
        sql="(own_engine IS NOT NULL)",
        shown=Shown.ON_DEMAND,
        format=Format.YES_NO,
    ),
    *QUALITY_COLUMNS,
    *REVIEW_COLUMNS,
    exported_only("engine", "Engine", "What predicted the outlines"),
    exported_only("engine_version", "Engine's version", "Version of the engine, or of its weights"),
    SETTINGS,
    exported_only(
        "spheroscope_version",
        "Version",
        "Version of Spheroscope that wrote the file",
        required=True,
        compute=lambda: __version__,
    ),
    Column(
        "seconds",
        "Time taken",
        "How long the segmentation took",
        unit="s",
        summary=True,
        sort="seconds",
        filter="seconds",
        export="seconds",
        shown=Shown.ON_DEMAND,
        format=Format.SECONDS,
        header="Took",
        width=80,
        position=80,
    ),
    Column(
        "created_at",
        "Added",
        "When the image was added, in UTC",
        type=datetime,
        required=True,
        sort="created",
        filter="created",
        shown=Shown.DEFAULT,
        format=Format.TIME,
        width=112,
        position=70,
    ),
    Column("version_id", "Version", VERSION[0].description, type=str, api=False, export="version_id"),
    VERSION[1],
    Column(
        "thumbnail",
        "Picture",
        "Address of the small picture; another result has another one",
        type=str,
        required=True,
        listed=False,
        compute=thumbnail_address,
        inputs=("id", "version_id"),
        shown=Shown.DEFAULT,
        format=Format.PICTURE,
        width=84,
        position=0,
    ),
    exported_only("mask", "Mask", "File of the label image beside the table"),
    exported_only("overlay", "Overlay", "File of the picture with outlines beside the table"),
    exported_only("original", "Original", "File as it was uploaded, beside the table"),
    exported_only("sha256", "SHA-256", "SHA-256 of the file as it was uploaded, 64 hexadecimal digits"),
)
