"""Segment one image: an engine predicts maps, outlines are delineated in them and measured.

``segment`` does both steps. They can be taken apart: ``predict`` runs an engine; ``delineate`` makes outlines
and measurements of its output, with other settings if wanted, in a fraction of the time. Heavy packages are
imported when an engine first runs, never by a page that only wants the names.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidRequest
from core.models import Segmentation
from core.segmentation import confidence
from core.segmentation.engines.base import Engine, Prediction
from core.segmentation.engines.stored_maps import pack, rounded, unpack
from core.segmentation.grayscale import Pixels, grey
from core.segmentation.measurement.quality import quality
from core.segmentation.measurement.spheroids import describe_timed, timed
from core.segmentation.outlines import postprocess as stages
from core.segmentation.outlines.boundaries import find
from core.segmentation.params import SegmentationParams


@dataclass(frozen=True, slots=True)
class EngineOutput:
    """Prediction of an engine for one image with ``params``."""

    prediction: Prediction
    engine: str
    engine_version: str
    params: SegmentationParams
    predict_ms: float

    def pack(self) -> bytes:
        """The maps as bytes; ``unpack`` turns them back."""
        return pack(self.prediction)

    @classmethod
    def unpack(cls, data: bytes, engine: Engine, params: SegmentationParams) -> EngineOutput:
        """From the bytes of ``pack``, whose engine and parameters are kept elsewhere.

        Raises:
            SegmentationError: other bytes.
        """
        prediction, ms = timed(lambda: unpack(data))
        return cls(prediction, engine.name, engine.version, params, ms)


def segment(image: Pixels, params: SegmentationParams, engine: Engine) -> Segmentation:
    """Segment one image and measure what is found.

    Args:
        image: raw pixels, (Y, X) or (Y, X, 3 or 4) red-green-blue with or without alpha; uint8, uint16 or
            float32.
        engine: of an ``EngineRegistry``.

    Returns:
        Spheroids numbered 1..N from the largest to the smallest; N = 0 where nothing is found.

    Raises:
        InvalidRequest: pixels of another kind.
        SegmentationError: the engine could not outline the image.
    """
    return delineate(image, predict(image, params, engine), params)


def predict(image: Pixels, params: SegmentationParams, engine: Engine) -> EngineOutput:
    """Run an engine on one image; as ``segment``."""
    grey_image = grey(image, params.channel)
    prediction, ms = timed(lambda: rounded(engine.predict(grey_image, params)))
    return EngineOutput(prediction, engine.name, engine.version, params, ms)


def delineate(image: Pixels, output: EngineOutput, params: SegmentationParams) -> Segmentation:
    """Outline, measure and rate what an engine predicted, without running it again; as ``segment``.

    Raises:
        InvalidRequest: with these parameters the engine would have predicted something else.
    """
    if not params.predicts_like(output.params):
        raise InvalidRequest("With these settings the image must be segmented anew.")
    grey_image = grey(image, params.channel)
    timings_ms = {"predict": output.predict_ms}
    labels, timings_ms["postprocess"] = timed(
        lambda: stages.postprocess(output.prediction, params, grey_image.shape)
    )
    rated, rating_ms = timed(lambda: confidence.rate(output.prediction, labels, output.engine))
    objects, finding_ms = timed(lambda: find(labels))
    spheroids = describe_timed(objects, labels.shape, grey_image, timings_ms, rated.objects)
    measured, measuring_ms = timed(lambda: quality(labels, objects, grey_image))
    timings_ms["measure"] += rating_ms + finding_ms + measuring_ms
    return Segmentation(
        labels,
        spheroids,
        output.engine,
        output.engine_version,
        params.to_dict(),
        timings_ms,
        rated.image,
        measured,
    )
