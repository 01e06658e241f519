"""The shipped engines for tests: one thread, float32, loaded once for all tests of a process."""

from __future__ import annotations

from core.models import Segmentation
from core.segmentation import DEFAULT_ENGINE, EngineRegistry, SegmentationParams
from core.segmentation import segment as segment_with
from core.segmentation.grayscale import Pixels

ENGINES = EngineRegistry.shipped()


def segment(
    image: Pixels, params: SegmentationParams | None = None, engine: str = DEFAULT_ENGINE
) -> Segmentation:
    """Segment by an engine's name; by its defaults where no parameters are given."""
    return segment_with(image, params or SegmentationParams(), ENGINES.get(engine))
