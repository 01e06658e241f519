"""The interface of an engine: a function that predicts, for each pixel, the probability of spheroid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.segmentation.grayscale import Pixels
from core.segmentation.params import SegmentationParams

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What an engine predicts, at its working size, which may be smaller than the image; maps are float32 (Y,
    X).

    ``inside``: 0..1; from 0.5 up is spheroid at the default sensitivity.
    ``core``: 0..1, of dense bodies without their loose rims; None where the engine cannot tell.
    ``second``: as ``inside``, predicted from a mirrored copy at another scale; None where there was no second
    pass. Where both agree, an outline can be trusted.
    ``traits``: float32 (N,), means of the network's deepest features, to be compared with the training
    images'; None for an engine without training.
    ``sharpness``: sharpness of edges, 0..1 of the sharpest; objects with much softer outlines than the
    others are out of focus and are dropped. None: nothing is dropped for that.
    ``speck_px``: what a disc of this radius does not fit into is debris or a fibre; 0 where the engine knows
    better.
    ``standing_out``: share of the image that stands out as a body would and is not inside; 0 where it was not
    computed.
    ``core_edge``: how strong the edges of the cores are, as a multiple of those of whole bodies; 0 where the
    engine cannot tell, or bodies glow: what grows out of a glowing body counts to it.
    ``waver_px``: outlines follow ``inside`` blurred by this sigma, in working pixels; 0 where the map is
    smooth by itself.
    """

    inside: Map
    core: Map | None = None
    second: Map | None = None
    traits: Map | None = None
    sharpness: Map | None = None
    speck_px: int = 0
    waver_px: float = 0.0
    standing_out: float = 0.0
    core_edge: float = 0.0

    @property
    def dense(self) -> Map:
        """``core``; of an engine that cannot tell, ``inside``."""
        return self.inside if self.core is None else self.core


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine: ``predict`` takes grey pixels (Y, X) of a supported dtype, and the parameters.

    ``key`` says exactly what predicts: the SHA-256 of the weights (``has_weights``), or name and version.
    ``version`` is stored with results; it changes whenever outlines may.
    """

    name: str
    key: str
    version: str
    predict: Callable[[Pixels, SegmentationParams], Prediction]
    has_weights: bool = False
