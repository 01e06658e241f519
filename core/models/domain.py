"""Projects, images, segmentations and spheroids as immutable values, and pages of lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.models.outline_source import OutlineSource
from core.models.quality import ImageQuality
from core.models.review import NOTHING_SAID, ReviewSettings, ReviewState


class ImageStatus(StrEnum):
    """State of an image; the values are the words that users see."""

    NEW = "new"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Finding(StrEnum):
    """Properties of an image that a person may want to filter by."""

    LOOK_AT_THIS = "look_at_this"  # outlines that are less certain than usual
    NOTHING_FOUND = "nothing_found"
    SEVERAL_FOUND = "several_found"
    OWN_SETTINGS = "own_settings"  # accepted for this image alone


class PixelSizeSource(StrEnum):
    """Sources of a pixel size; a later one in this list overrides an earlier one."""

    PROJECT = "project"
    FILE = "file"
    USER = "user"


class PixelSizeMethod(StrEnum):
    """Ways in which a person finds a pixel size."""

    TYPED = "typed"
    DRAWN = "drawn"  # over a scale bar of known length


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one image file, checked from its header before a pixel is decoded."""

    max_bytes: int = 200 * 2**20
    max_pixels: int = 100_000_000
    max_pages: int = 200


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Properties of one page of an image file.

    ``bit_depth`` counts the significant bits: 12 where a camera's 12 bits lie in a 16-bit file.
    ``um_per_px`` is None where the file has no pixel size; ``um_per_px_from`` names the tag that it is from.
    """

    page: int
    width: int
    height: int
    channels: int
    dtype: str
    bit_depth: int
    um_per_px: float | None = None
    um_per_px_from: str | None = None


@dataclass(frozen=True, slots=True)
class Raster:
    """Decoded pixels exactly as stored: (Y, X) or (Y, X, C), uint8, uint16 or float32."""

    pixels: NDArray[np.generic]
    facts: PageFacts


T = TypeVar("T")
Ring = tuple[tuple[float, float], ...]  # (x, y) in pixels, first point not repeated


@dataclass(frozen=True, slots=True)
class Contour:
    """Outline of one spheroid: pixel coordinates, x to the right, y down, (0.5, 0.5) is a pixel's centre."""

    outer: Ring
    holes: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True)
class Spheroid:
    """One outlined spheroid: its number in the label image, its outline, its measurements in pixels.

    ``measurements`` has a key for every name in MEASUREMENTS; None where the value cannot be computed.
    ``reasons`` says why, by measurement name. ``confidence``: expected overlap with a person's outline, 0..1.
    ``outline_version_id`` is the version whose outline it has, None until it is saved.
    """

    number: int
    contour: Contour
    measurements: dict[str, float | int | bool | None]
    reasons: dict[str, str] = field(default_factory=dict)
    confidence: float | None = None
    outline: OutlineSource = field(default=OutlineSource.AUTOMATIC, compare=False)
    outline_version_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Result of segmenting one image; ``confidence`` is the expected overlap of all outlines, 0..1.

    ``labels``: int32 (Y, X) at native resolution, 0 is background, 1..N are the spheroids' numbers.
    ``timings_ms``: wall time of each stage ("predict", "postprocess", "measure", "contours").
    """

    labels: NDArray[np.int32]
    spheroids: tuple[Spheroid, ...]
    engine: str
    engine_version: str
    params: dict[str, object]
    timings_ms: dict[str, float]
    confidence: float | None = None
    quality: ImageQuality | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """One project, with the counts and thumbnails that its card shows."""

    id: str
    name: str
    um_per_px: float | None
    engine: str
    params: dict[str, object]
    created_at: datetime
    counts: dict[ImageStatus, int] = field(default_factory=dict)
    findings: dict[Finding, int] = field(default_factory=dict)
    last_activity: datetime | None = None
    thumbnails: tuple[str, ...] = ()  # image ids, newest first
    review: ReviewSettings = NOTHING_SAID

    @property
    def n_images(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """One row of the table of images: file properties, and the summary of the version in force.

    ``status`` is that of the latest request. Where its job failed, ``error`` says why, and the status is DONE
    if an earlier result is in force, FAILED if there is none.
    """

    id: str
    name: str
    status: ImageStatus
    error_code: str | None = None
    error: str | None = None
    n_objects: int | None = None
    largest_diameter_px: float | None = None
    largest_area_px: float | None = None
    largest_circularity: float | None = None
    confidence: float | None = None
    edge_blur: float | None = None
    specks: int | None = None
    um_per_px: float | None
    um_per_px_source: PixelSizeSource | None
    width: int
    height: int
    bit_depth: int
    created_at: datetime
    seconds: float | None = None
    version_id: str | None = None
    review: ReviewState = ReviewState.UNSEEN
    review_reason: str | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    own_settings: bool = False

    @property
    def last_try_failed(self) -> bool:
        """Whether an earlier result is in force because the last try to segment the image failed."""
        return self.status is ImageStatus.DONE and self.error is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(ImageRow):
    """One image with all properties of its file.

    ``um_per_px_method`` says how a person found the pixel size; None where the file names it.
    ``own_engine`` and ``own_params`` are what was accepted for this image; None where it follows its project.
    """

    project_id: str
    sha256: str
    page: int
    channels: int
    dtype: str
    n_bytes: int
    um_per_px_file: float | None
    um_per_px_from: str | None
    thumbnail_sha256: str
    um_per_px_method: PixelSizeMethod | None = None
    own_engine: str | None = None
    own_params: dict[str, object] | None = None


class VersionKind(StrEnum):
    """Kinds of versions of a result."""

    AUTOMATIC = "automatic"  # by an engine
    CORRECTED = "corrected"  # by a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One result of an image. Versions are added, never changed; the image's ``version_id`` is in force.

    ``parent_id``, ``author`` and ``reason`` say what a corrected version was made from, by whom and why;
    ``parent_iou`` how much it agrees with that, 0..1, and ``seconds_worked`` how long people took.
    ``job_id`` and ``request`` say which job made an automatic one, and which request it answered: None where
    that is not known. ``superseded_at`` is None while the version is in force. The files of labels, thumbnail
    and engine maps are named by their SHA-256.
    """

    id: str
    image_id: str
    kind: VersionKind
    parent_id: str | None = None
    author: str | None = None
    reason: str | None = None
    job_id: str | None = None
    request: int | None = None
    engine: str
    engine_version: str
    params: dict[str, object]
    created_at: datetime
    superseded_at: datetime | None = None
    labels_sha256: str
    thumbnail_sha256: str
    maps_sha256: str | None = None
    timings_ms: dict[str, float]
    n_objects: int
    confidence: float | None = None
    parent_iou: float | None = None
    seconds_worked: float | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive bounds of one column; None is open. Rows without a value are outside.

    ``column`` is one of the list's range names; times are UTC without a zone.
    """

    column: str
    minimum: float | datetime | None = None
    maximum: float | datetime | None = None


@dataclass(frozen=True, slots=True)
class ImageFilter:
    """Conditions on a project's images, all of which must hold; None and () are no condition.

    Of several statuses, findings or states of review, one must hold.
    """

    status: tuple[ImageStatus, ...] = ()
    name: str | None = None
    ranges: tuple[Range, ...] = ()
    findings: tuple[Finding, ...] = ()
    review: tuple[ReviewState, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, with the length of the list.

    ``last`` are the sort keys of its last row, after which the next page begins; () where there are none.
    """

    items: tuple[T, ...]
    total: int
    offset: int
    limit: int
    last: tuple[str | float | bool | None, ...] = ()
