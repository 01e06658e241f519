"""Find, outline and measure the spheroids of an image: pixels and parameters in, spheroids out.

``engines/`` predict maps, ``outlines/`` make outlines of them, ``measurement/`` measures.
Nothing here knows of files, databases or users.
"""

from __future__ import annotations

from core.segmentation.engines.base import Engine
from core.segmentation.engines.unet import Arithmetic, compute_with
from core.segmentation.measurement.spheroids import describe
from core.segmentation.params import SegmentationParams
from core.segmentation.segment import (
    DEFAULT_ENGINE,
    ENGINES,
    EngineOutput,
    delineate,
    engine_version,
    predict,
    segment,
)

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "Arithmetic",
    "Engine",
    "EngineOutput",
    "SegmentationParams",
    "compute_with",
    "delineate",
    "describe",
    "engine_version",
    "predict",
    "segment",
]
