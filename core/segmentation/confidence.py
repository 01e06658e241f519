"""Confidence of outlines: the overlap (intersection over union) to be expected with a person's outline, 0..1.

It follows from five features. ``certainty``: mean probability inside the outline. ``margin``: how little the
outline moves with the threshold. ``agreement``: overlap with the mirrored prediction at another scale.
``unity``: overlap of the dense core with the whole body. ``novelty``: distance of the image from the training
images. A logistic curve turns them into the expected overlap; it is fitted on drawn images and on sets of
real ones, each outlined by weights that had not learnt from it (``python -m training.confidence``). An
image without spheroids has a curve of its own: how likely it is empty.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models.quality import LOOK_BELOW
from core.segmentation.engines.base import Map, Prediction
from core.segmentation.outlines.boundaries import Labels

FILE = Path(__file__).resolve().parents[2] / "data" / "weights" / "confidence.json"
FEATURES = ("certainty", "margin", "agreement", "unity", "novelty")
EMPTY_FEATURES = ("peak", "standing_out")

_SURE, _POSSIBLE = 0.7, 0.3  # levels of the map between which an outline could run
_REACH = np.ones((9, 9), np.uint8)  # neighbourhood that still counts to an object
_SLACK = 5e-4  # share of the image's pixels that is added to every count, so that noise has no weight
_PEAK = 5e-4  # share of the image's pixels that have at least the peak's probability
_MAX_NOVELTY = 3.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """A logistic curve over some features."""

    bias: float
    weights: tuple[float, ...]

    def __call__(self, features: Floats) -> Floats:
        """Expected overlap, (N,), of features (N, M)."""
        return np.asarray(1 / (1 + np.exp(-(self.bias + features @ np.array(self.weights)))))


@dataclass(frozen=True, slots=True)
class ConfidenceCurve:
    """Curves that were fitted for one engine.

    ``mean`` and ``spread``: of each trait over the training images; None for an engine without any.
    ``empty``: over ``EMPTY_FEATURES``, of images in which nothing is found; None where ``images`` serves.
    """

    objects: Curve
    images: Curve
    mean: tuple[float, ...] | None = None
    spread: tuple[float, ...] | None = None
    empty: Curve | None = None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object that ``from_dict`` reads."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> ConfidenceCurve:
        """Make one from the JSON object of an engine in ``confidence.json``."""
        curves = {name: _curve(document[name]) for name in ("objects", "images")}
        traits = {
            name: _numbers(document[name]) for name in ("mean", "spread") if document.get(name) is not None
        }
        empty = _curve(document["empty"]) if document.get("empty") is not None else None
        return cls(**curves, **traits, empty=empty)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Confidence:
    """Expected overlap of the whole image and of each object, by number from 1."""

    image: float
    objects: tuple[float, ...]


def rate(prediction: Prediction, labels: Labels, engine: str) -> Confidence:
    """Rate outlines that were found from a prediction.

    Args:
        labels: int32 (Y, X) at the image's own size, numbered 1..N.
    """
    fitted = calibrations()[engine]
    image_novelty = novelty(prediction.traits, fitted)
    small = at_size(labels, prediction.inside.shape)
    objects = object_features(prediction, small, int(labels.max(initial=0)), image_novelty)
    if fitted.empty is not None and not labels.any():
        return Confidence(float(fitted.empty(empty_features(prediction)[None])[0]), ())
    image = image_features(prediction, small > 0, image_novelty)
    return Confidence(float(fitted.images(image[None])[0]), tuple(fitted.objects(objects).tolist()))


def doubtful(confidence: float | None) -> bool:
    """Whether somebody should look at an image or a spheroid before its numbers are used."""
    return confidence is not None and confidence < LOOK_BELOW


def object_features(prediction: Prediction, labels: Labels, n: int, novelty_score: float) -> Floats:
    """Features (N, 5) of objects 1..n; ``labels`` at the maps' size."""
    zone = np.where(labels > 0, labels, cv2.dilate(labels.astype(np.float32), _REACH).astype(np.int32))
    near = np.flatnonzero(zone)
    zone_labels, own_labels = zone.ravel()[near], labels.ravel()[near]
    inside = prediction.inside.ravel()[near]
    agreed = _second(prediction).ravel()[near] >= 0.5
    dense, whole = prediction.dense.ravel()[near] >= 0.5, inside >= 0.5
    in_both, in_either = dense & whole, dense | whole

    def count(numbers: Labels) -> Floats:
        return np.bincount(numbers, minlength=n + 1)[1:].astype(np.float64)

    size = np.maximum(count(own_labels), 1)  # one that is smaller than a working pixel has features of 0
    columns = (
        np.bincount(own_labels, inside, n + 1)[1:] / size,
        count(zone_labels[inside >= _SURE]) / np.maximum(count(zone_labels[inside >= _POSSIBLE]), 1),
        count(own_labels[agreed]) / (size + count(zone_labels[agreed & (own_labels == 0)])),
        (count(zone_labels[in_both]) + 1) / (count(zone_labels[in_either]) + 1),
        np.full(n, novelty_score),
    )
    return np.stack(columns, axis=1)


def image_features(prediction: Prediction, outlined: NDArray[np.bool_], novelty_score: float) -> Floats:
    """Features (5,) of all that was found; ``outlined`` bool (Y, X) at the maps' size."""
    inside, second = prediction.inside, _second(prediction) >= 0.5
    dense, whole = prediction.dense >= 0.5, inside >= 0.5
    slack = _SLACK * inside.size
    possible = inside >= _POSSIBLE
    sure = np.where(possible, np.maximum(inside, 1 - inside), 0).sum() + slack
    return np.array(
        [
            sure / (np.count_nonzero(possible) + slack),
            (np.count_nonzero(inside >= _SURE) + slack) / (np.count_nonzero(possible) + slack),
            (np.count_nonzero(outlined & second) + slack) / (np.count_nonzero(outlined | second) + slack),
            (np.count_nonzero(dense & whole) + slack) / (np.count_nonzero(dense | whole) + slack),
            novelty_score,
        ]
    )


def empty_features(prediction: Prediction) -> Floats:
    """Features (2,) of an image in which nothing is found: the highest probability, and what stands out."""
    highest = np.maximum(prediction.inside, _second(prediction)).ravel()
    rank = max(0, highest.size - 1 - round(_PEAK * highest.size))
    return np.array([np.partition(highest, rank)[rank], math.sqrt(prediction.standing_out)])


def novelty(traits: Map | None, fitted: ConfidenceCurve) -> float:
    """Root mean square of the traits' distances from the training images', in spreads; 0 without traits."""
    if traits is None or fitted.mean is None or fitted.spread is None:
        return 0.0
    distances = (traits - np.array(fitted.mean)) / np.array(fitted.spread)
    return float(min(_MAX_NOVELTY, np.sqrt(np.mean(distances**2))))


def at_size(labels: Labels, shape: tuple[int, ...]) -> Labels:
    """Return labels (Y, X) resampled to ``shape`` by nearest neighbour."""
    rows, columns = ((np.arange(to) * size) // to for size, to in zip(labels.shape, shape, strict=True))
    return labels[np.ix_(rows, columns)]


@cache
def calibrations(file: Path = FILE) -> Mapping[str, ConfidenceCurve]:
    """Return the fitted curves by engine, from the JSON ``file``."""
    document = json.loads(file.read_text(encoding="utf-8"))
    return {name: ConfidenceCurve.from_dict(values) for name, values in document.items()}


def _second(prediction: Prediction) -> Map:
    return prediction.inside if prediction.second is None else prediction.second


def _curve(given: object) -> Curve:
    assert isinstance(given, dict)
    return Curve(float(given["bias"]), _numbers(given["weights"]))


def _numbers(given: object) -> tuple[float, ...]:
    assert isinstance(given, list)
    return tuple(float(value) for value in given)
