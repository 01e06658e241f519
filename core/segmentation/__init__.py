"""Find, outline and measure the spheroids of an image.

``segment`` is the one name that other code needs; ``describe`` measures a corrected label image in the same
way. What is heavy is imported by engines when they first run, never by a page that only wants the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.errors import InvalidRequest
from core.models import Segmentation
from core.segmentation import classical
from core.segmentation import postprocess as stages
from core.segmentation import predict as unet
from core.segmentation.engine import Engine
from core.segmentation.grey import Pixels, grey
from core.segmentation.objects import describe, describe_timed, timed
from core.segmentation.params import SegmentationParams

__all__ = [
    "DEFAULT_ENGINE",
    "ENGINES",
    "Engine",
    "SegmentationParams",
    "describe",
    "engine_version",
    "segment",
]

# Chosen by docs/accuracy.md.
DEFAULT_ENGINE = "classical"

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "classical": Engine(classical.VERSION, classical.predict),
        "unet": Engine(unet.VERSION, unet.predict),
    }
)


def segment(
    image: Pixels, params: SegmentationParams | None = None, engine: str = DEFAULT_ENGINE
) -> Segmentation:
    """Segment one image and measure what is found.

    Args:
        image: raw pixels, (Y, X) or (Y, X, 3 or 4) red-green-blue with or without alpha; uint8, uint16 or
            float32.
        params: the defaults where None.
        engine: a name in ``ENGINES``.

    Returns:
        Spheroids numbered 1..N from the largest to the smallest; N = 0 where nothing is found.

    Raises:
        InvalidRequest: no such engine, or pixels of another kind.
    """
    params = params or SegmentationParams()
    chosen = _engine(engine)
    timings_ms: dict[str, float] = {}
    bright = grey(image)
    prediction, timings_ms["predict"] = timed(lambda: chosen.predict(bright, params))
    labels, timings_ms["postprocess"] = timed(lambda: stages.postprocess(prediction, params, bright.shape))
    spheroids = describe_timed(labels, bright, timings_ms)
    return Segmentation(labels, spheroids, engine, chosen.version, params.to_dict(), timings_ms)


def engine_version(name: str) -> str:
    """The version of an engine, which changes whenever its outlines may.

    Raises:
        InvalidRequest: no such engine.
    """
    return _engine(name).version


def _engine(name: str) -> Engine:
    if name not in ENGINES:
        raise InvalidRequest(f"There is no engine {name!r}; there are {', '.join(ENGINES)}.")
    return ENGINES[name]
