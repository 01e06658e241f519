"""The nouns of the field as immutable values: project, image, job, segmentation, spheroid, measurement.

Every room may import them and they import none. They hold no behaviour beyond what follows from their fields.
"""

from __future__ import annotations

from core.models.domain import (
    Contour,
    Finding,
    Image,
    ImageFilter,
    ImageRow,
    ImageStatus,
    Limits,
    Page,
    PageFacts,
    PixelSizeMethod,
    PixelSizeSource,
    Project,
    Range,
    Raster,
    Ring,
    Segmentation,
    Spheroid,
    Version,
    VersionKind,
)
from core.models.jobs import Job, JobState, Priority
from core.models.measurements import MEASUREMENTS, Dimension, MeasurementDefinition
from core.models.outline_source import OutlineSource
from core.models.quality import ImageQuality
from core.models.review import ExclusionReason, ReviewSettings, ReviewState, SpheroidsExpected, Verdict
from core.models.uploads import Upload, UploadState

__all__ = [
    "MEASUREMENTS",
    "Contour",
    "Dimension",
    "ExclusionReason",
    "Finding",
    "Image",
    "ImageFilter",
    "ImageQuality",
    "ImageRow",
    "ImageStatus",
    "Job",
    "JobState",
    "Limits",
    "MeasurementDefinition",
    "OutlineSource",
    "Page",
    "PageFacts",
    "PixelSizeMethod",
    "PixelSizeSource",
    "Priority",
    "Project",
    "Range",
    "Raster",
    "ReviewSettings",
    "ReviewState",
    "Ring",
    "Segmentation",
    "Spheroid",
    "SpheroidsExpected",
    "Upload",
    "UploadState",
    "Verdict",
    "Version",
    "VersionKind",
]
