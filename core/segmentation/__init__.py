"""Find, outline and measure the spheroids of an image: pixels and parameters in, spheroids out.

``engines/`` predict maps, ``outlines/`` make outlines of them, ``measurement/`` measures.
Nothing here knows of files, databases or users.
"""

from __future__ import annotations

from core.segmentation.engines.arithmetic import Arithmetic
from core.segmentation.engines.base import Engine
from core.segmentation.engines.registry import DEFAULT_ENGINE, ENGINE_NAMES, EngineRegistry
from core.segmentation.measurement.spheroids import describe
from core.segmentation.params import SegmentationParams
from core.segmentation.segment import EngineOutput, delineate, predict, segment

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINE_NAMES",
    "Arithmetic",
    "Engine",
    "EngineOutput",
    "EngineRegistry",
    "SegmentationParams",
    "delineate",
    "describe",
    "predict",
    "segment",
]
