"""Fit how far outlines can be trusted: ``python -m training.confidence --weights FILE --out FILE ...``.

Every image is outlined by weights that never saw its set: real ones by trainings that left it out
(``--runs``), drawn ones of ladders and demo plates, which no training sees, by the shipped weights. What
those outlines are worth, and what can be seen of them without a truth, gives a curve
(``core.segmentation.confidence``). Its own worth is judged the same way: each set's by a curve that was
fitted on the other sets. ``classical`` has no weights; its constants were chosen on the real images, so its
curve, which is of them alone, is the more hopeful one: with drawn ones among them no curve sorted its images.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from core.segmentation import SegmentationParams
from core.segmentation.confidence import (
    FEATURES,
    ConfidenceCurve,
    Curve,
    at_size,
    image_features,
    object_features,
    strangeness,
)
from core.segmentation.engines.base import Prediction
from core.segmentation.outlines.postprocess import postprocess
from training import drawn_truth, scenes
from training.data import Pair, lessons
from training.drawn_truth import Shown
from training.evaluate import held_out, predictor
from training.risk import Risk, draw_curves, risk
from training.scores import is_foreground, overlaps, score

Floats = NDArray[np.float64]
Predict = Callable[[NDArray[Any]], Prediction]

DRAWN = 60  # scenes that stand for the drawn half of the training images
SCENE_PX = 512
RIDGE = 1e-2
# Of the bias and each feature: doubt may never raise confidence, whatever chance has put into a set.
Bounds = Sequence[tuple[float | None, float | None]]
BOUNDS: Bounds = ((None, None), (0, None), (0, None), (0, None), (0, None), (None, 0))
LINES = (0.7, 0.8, 0.85, 0.9)
_NONE = Curve(0.0, (0.0,) * len(FEATURES))


@dataclass(frozen=True, slots=True)
class Rated:
    """Outlined images or objects of one set: features (N, 4) and overlaps with the truth (N,)."""

    set_name: str
    features: Floats
    overlap: Floats


@dataclass(frozen=True, slots=True)
class Fold:
    """One set: its images with their truth, and what predicts them without having seen them."""

    set_name: str
    shown: Iterable[Shown]
    predict: Predict
    traits: ConfidenceCurve


def look_at(fold: Fold) -> tuple[Rated, Rated]:
    """Outline images of one set; what was found as images, and as objects.

    Images in which nothing is found are left out: their confidence has a curve of its own
    (``training.empty``).
    """
    of_images, of_objects = [], []
    for pixels, truth in fold.shown:
        seen = fold.predict(pixels)
        labels = postprocess(seen, SegmentationParams(), pixels.shape)
        if not labels.any():
            continue
        strange = strangeness(seen.traits, fold.traits)
        small = at_size(labels, seen.inside.shape)
        of_images.append((image_features(seen, small > 0, strange), score(labels, truth).iou))
        if not is_foreground(truth):
            features = object_features(seen, small, int(labels.max()), strange)
            of_objects += list(zip(features, overlaps(labels, truth), strict=True))
    return _rated(fold.set_name, of_images), _rated(fold.set_name, of_objects)


def _rated(name: str, rows: Sequence[tuple[Floats, float]]) -> Rated:
    features = np.array([row[0] for row in rows]).reshape(-1, len(FEATURES))
    return Rated(name, features, np.array([row[1] for row in rows], np.float64))


def familiar(chosen: Iterable[Pair], predict: Predict) -> ConfidenceCurve:
    """Mean and spread of the traits of real images and of drawn scenes; curves are left open."""
    drawn = (scenes.draw(np.random.default_rng((7, i)), SCENE_PX).pixels for i in range(DRAWN))
    images = [*(pair.read()[0] for pair in chosen), *drawn]
    traits = np.array([seen.traits for seen in map(predict, images) if seen.traits is not None])
    if not len(traits):
        return ConfidenceCurve(_NONE, _NONE)
    spread = np.maximum(traits.std(axis=0), 1e-3)
    return ConfidenceCurve(_NONE, _NONE, tuple(traits.mean(axis=0).tolist()), tuple(spread.tolist()))


def fit(groups: Sequence[Rated], bounds: Bounds = BOUNDS) -> Curve:
    """The logistic curve of least cross entropy; every set counts the same.

    ``bounds``: of the bias and of each feature's weight.
    """
    groups = [group for group in groups if len(group.overlap)]
    features = np.concatenate([group.features for group in groups])
    overlap = np.concatenate([group.overlap for group in groups])
    share = np.concatenate([np.full(len(group.overlap), 1 / len(group.overlap)) for group in groups])
    middle = features.mean(axis=0)
    spread = np.maximum(features.std(axis=0), 1e-6)
    wide = (features - middle) / spread

    def cost(values: Floats) -> float:
        logits = values[0] + wide @ values[1:]
        entropy = np.logaddexp(0, logits) - overlap * logits
        return float(share @ entropy / len(groups) + RIDGE * np.square(values[1:]).sum())

    best = minimize(cost, np.zeros(1 + features.shape[1]), bounds=bounds).x
    weights = np.where(features.std(axis=0) > 1e-6, best[1:] / spread, 0.0)
    return Curve(float(best[0] - weights @ middle), tuple(weights.tolist()))


def judged(groups: Sequence[Rated]) -> Risk:
    """How well confidence sorts outlines, where each set's curve was fitted on the other sets."""
    confidence, overlap = [], []
    for group in groups:
        others = [other for other in groups if other.set_name != group.set_name]
        if len(group.overlap):
            confidence.append(fit(others)(group.features))
            overlap.append(group.overlap)
    return risk(np.concatenate(confidence), np.concatenate(overlap))


def calibrate(folds: Iterable[Fold]) -> tuple[ConfidenceCurve, Risk, Risk]:
    """Fit both curves over sets; also how well images and objects are sorted."""
    examined = [look_at(fold) for fold in folds]
    images, objects = ([item[i] for item in examined] for i in (0, 1))
    return ConfidenceCurve(fit(objects), fit(images)), judged(images), judged(objects)


def _unet(data: Path, runs: Path | None, weights: Path, each: int) -> tuple[ConfidenceCurve, Risk, Risk]:
    everything, shipped = lessons(data), predictor("unet", weights)
    traits = familiar(everything, shipped)
    folds = _drawn(shipped, traits, each)
    for name, file in held_out(runs).items() if runs else ():
        predict = predictor("unet", file)
        seen = [pair for pair in everything if pair.set_name != name]
        folds.append(_fold(name, everything, predict, familiar(seen, predict)))
    fitted, images, objects = calibrate(folds)
    return replace(fitted, mean=traits.mean, spread=traits.spread), images, objects


def _classical(data: Path) -> tuple[ConfidenceCurve, Risk, Risk]:
    everything = lessons(data)
    names = sorted({pair.set_name for pair in everything})
    predict, nothing = predictor("classical"), ConfidenceCurve(_NONE, _NONE)
    return calibrate(_fold(name, everything, predict, nothing) for name in names)


def _fold(name: str, chosen: Sequence[Pair], predict: Predict, traits: ConfidenceCurve) -> Fold:
    return Fold(name, (pair.read() for pair in chosen if pair.set_name == name), predict, traits)


def _drawn(predict: Predict, traits: ConfidenceCurve, each: int) -> list[Fold]:
    """Every ladder as a set, and demo plates as one."""
    groups = [*drawn_truth.ladders(each), ("demo", drawn_truth.demo(1 + each // 2))]
    return [Fold(name, shown, predict, traits) for name, shown in groups]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="training.confidence", description="Fit how far outlines can be trusted."
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/datasets"))
    parser.add_argument("--runs", type=Path, help="trainings that left one set out each")
    parser.add_argument("--each", type=int, default=4, help="drawn scenes of each step of a ladder")
    parser.add_argument("--weights", type=Path, required=True, help="the weights that are shipped")
    parser.add_argument("--out", type=Path, required=True, help="confidence.json")
    parser.add_argument("--plot", type=Path, help="risk and coverage as a picture")
    given = parser.parse_args(arguments)
    fitted = {
        "unet": _unet(given.data, given.runs, given.weights, given.each),
        "classical": _classical(given.data),
    }
    about = {name: result[0].to_dict() for name, result in fitted.items()}
    given.out.write_text(json.dumps(about) + "\n", encoding="utf-8")
    for name, (_, images, objects) in fitted.items():
        for what, judgement in (("images", images), ("objects", objects)):
            print(f"{name}, {what}: {judgement.sentence()}")
            for line in LINES:
                print(f"  {judgement.below(line)}")
    if given.plot:
        draw_curves(
            {
                f"{name}, {what}": result[place]
                for name, result in fitted.items()
                for place, what in ((1, "images"), (2, "objects"))
            },
            given.plot,
        )


if __name__ == "__main__":
    main()
