"""Segment one image: an engine predicts maps, outlines are delineated in them and measured.

``segment`` does both steps. They can be taken apart: ``predict`` runs an engine; ``delineate`` makes outlines
and measurements of its output, with other settings if wanted, in a fraction of the time. Heavy packages are
imported when an engine first runs, never by a page that only wants the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import InvalidRequest
from core.models import Segmentation
from core.segmentation import confidence
from core.segmentation.engines import classical, unet
from core.segmentation.engines.base import Engine, Prediction
from core.segmentation.engines.stored_maps import pack, rounded, unpack
from core.segmentation.grayscale import Pixels, grey
from core.segmentation.measurement.spheroids import describe_timed, timed
from core.segmentation.outlines import postprocess as stages
from core.segmentation.params import SegmentationParams

# Chosen by docs/accuracy.md.
DEFAULT_ENGINE = "unet"

ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "unet": Engine(unet.VERSION, unet.predict),
        "classical": Engine(classical.VERSION, classical.predict),
    }
)


@dataclass(frozen=True, slots=True)
class EngineOutput:
    """What an engine said of one image; ``params`` are those that it was asked with."""

    prediction: Prediction
    engine: str
    engine_version: str
    params: SegmentationParams
    predict_ms: float

    def pack(self) -> bytes:
        """The maps as bytes; ``unpack`` turns them back."""
        return pack(self.prediction)

    @classmethod
    def unpack(cls, data: bytes, engine: str, params: SegmentationParams) -> EngineOutput:
        """From the bytes of ``pack``, whose engine and parameters are kept elsewhere.

        Raises:
            SegmentationError: other bytes.
            InvalidRequest: no such engine.
        """
        prediction, ms = timed(lambda: unpack(data))
        return cls(prediction, engine, engine_version(engine), params, ms)


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
    return delineate(image, predict(image, params, engine), params)


def predict(image: Pixels, params: SegmentationParams, engine: str = DEFAULT_ENGINE) -> EngineOutput:
    """Ask an engine what it sees; as ``segment``."""
    chosen = _engine(engine)
    bright = grey(image, params.channel)
    prediction, ms = timed(lambda: rounded(chosen.predict(bright, params)))
    return EngineOutput(prediction, engine, chosen.version, params, ms)


def delineate(image: Pixels, seen: EngineOutput, params: SegmentationParams) -> Segmentation:
    """Outline, measure and rate what an engine saw, without asking it again; as ``segment``.

    Raises:
        InvalidRequest: with these parameters the engine would have seen something else.
    """
    if not params.sees_as(seen.params):
        raise InvalidRequest("With these settings the image must be segmented anew.")
    bright = grey(image, params.channel)
    timings_ms = {"predict": seen.predict_ms}
    labels, timings_ms["postprocess"] = timed(
        lambda: stages.postprocess(seen.prediction, params, bright.shape)
    )
    rated, rating_ms = timed(lambda: confidence.rate(seen.prediction, labels, seen.engine))
    spheroids = describe_timed(labels, bright, timings_ms, rated.objects)
    timings_ms["measure"] += rating_ms
    return Segmentation(
        labels, spheroids, seen.engine, seen.engine_version, params.to_dict(), timings_ms, rated.image
    )


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
