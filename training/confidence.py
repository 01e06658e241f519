"""Fit how far outlines can be trusted: ``python -m training.confidence --weights FILE --out FILE ...``.

What the outlines of masked images are worth, and what can be seen of them without a truth, gives a curve
(``core.segmentation.confidence``). The images: drawn ones of ladders and of demo plates, which no training
sees; and real ones, all together a third of the weight, outlined by trainings that left their set out
(``--runs``) or else by the weights that have learnt from them. Its own worth is judged by curves that were
fitted without the set or ladder that they are judged on. ``classical`` has no weights; its constants were
chosen on the real images, so its curve, which is of them alone, is the more hopeful one.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
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
    novelty,
    object_features,
)
from core.segmentation.engines.base import Prediction
from core.segmentation.outlines.postprocess import postprocess
from training import drawn_truth, scenes
from training.data import Pair, training_pairs
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
DEFAULT = SegmentationParams()
_NONE = Curve(0.0, (0.0,) * len(FEATURES))


@dataclass(frozen=True, slots=True)
class Rated:
    """Outlined images or objects of one set: features (N, 5) and overlaps with the truth (N,).

    Every ``source`` counts the same, whatever the sets that it is made of.
    """

    set_name: str
    features: Floats
    overlap: Floats
    source: str


@dataclass(frozen=True, slots=True)
class Fold:
    """One set: its images with their truth, what predicts them, and how they are outlined."""

    set_name: str
    shown: Iterable[Shown]
    predict: Predict
    traits: ConfidenceCurve
    source: str
    params: SegmentationParams = DEFAULT


def look_at(fold: Fold) -> tuple[Rated, Rated]:
    """Outline images of one set; what was found as images, and as objects.

    Images in which nothing is found are left out: their confidence has a curve of its own
    (``training.empty``).
    """
    of_images, of_objects = [], []
    for pixels, truth in fold.shown:
        seen = fold.predict(pixels)
        labels = postprocess(seen, fold.params, pixels.shape)
        if not labels.any():
            continue
        distance = novelty(seen.traits, fold.traits)
        small = at_size(labels, seen.inside.shape)
        of_images.append((image_features(seen, small > 0, distance), score(labels, truth).iou))
        if not is_foreground(truth):
            features = object_features(seen, small, int(labels.max()), distance)
            of_objects += list(zip(features, overlaps(labels, truth), strict=True))
    return _rated(fold, of_images), _rated(fold, of_objects)


def _rated(fold: Fold, rows: Sequence[tuple[Floats, float]]) -> Rated:
    features = np.array([row[0] for row in rows]).reshape(-1, len(FEATURES))
    overlap = np.array([row[1] for row in rows], np.float64)
    return Rated(fold.set_name, features, overlap, fold.source)


def familiar(chosen: Iterable[Pair], predict: Predict) -> ConfidenceCurve:
    """Mean and spread of the traits of real images and of drawn scenes; curves are left open."""
    drawn = (scenes.draw(np.random.default_rng((7, i)), SCENE_PX).pixels for i in range(DRAWN))
    images = [*(pair.read()[0] for pair in chosen), *drawn]
    traits = np.array([seen.traits for seen in map(predict, images) if seen.traits is not None])
    if not len(traits):
        return ConfidenceCurve(_NONE, _NONE)
    spread = np.maximum(traits.std(axis=0), 1e-3)
    return ConfidenceCurve(_NONE, _NONE, tuple(traits.mean(axis=0).tolist()), tuple(spread.tolist()))


def fit(groups: Sequence[Rated], bounds: Bounds = BOUNDS, ridge: float = RIDGE) -> Curve:
    """The logistic curve of least cross entropy; every source counts the same.

    ``bounds``: of the bias and of each feature's weight. ``ridge``: the penalty on weights.
    """
    groups = [group for group in groups if len(group.overlap)]
    features = np.concatenate([group.features for group in groups])
    overlap = np.concatenate([group.overlap for group in groups])
    sizes = Counter[str]()
    for group in groups:
        sizes[group.source] += len(group.overlap)
    share = np.concatenate([np.full(len(group.overlap), 1 / sizes[group.source]) for group in groups])
    middle = features.mean(axis=0)
    spread = np.maximum(features.std(axis=0), 1e-6)
    wide = (features - middle) / spread

    def cost(values: Floats) -> float:
        logits = values[0] + wide @ values[1:]
        entropy = np.logaddexp(0, logits) - overlap * logits
        return float(share @ entropy / len(sizes) + ridge * np.square(values[1:]).sum())

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
    everything, shipped = training_pairs(data), predictor("unet", weights)
    traits = familiar(everything, shipped)
    folds = _drawn(shipped, traits, each)
    without = held_out(runs) if runs else {}
    for file in sorted(set(without.values())):
        left_out = [name for name in without if without[name] == file]
        predict = predictor("unet", file)
        known = familiar((pair for pair in everything if pair.set_name not in left_out), predict)
        folds += [_fold(name, everything, predict, known, "real") for name in left_out]
    rest = [name for name in _names(everything) if name not in without]
    folds += [_fold(name, everything, shipped, traits, "real") for name in rest]
    fitted, images, objects = calibrate(folds)
    return replace(fitted, mean=traits.mean, spread=traits.spread), images, objects


def _classical(data: Path) -> tuple[ConfidenceCurve, Risk, Risk]:
    everything = training_pairs(data)
    predict, nothing = predictor("classical"), ConfidenceCurve(_NONE, _NONE)
    return calibrate(_fold(name, everything, predict, nothing, name) for name in _names(everything))


def _names(chosen: Iterable[Pair]) -> list[str]:
    return sorted({pair.set_name for pair in chosen})


def _fold(name: str, chosen: Sequence[Pair], predict: Predict, traits: ConfidenceCurve, source: str) -> Fold:
    shown = (pair.read() for pair in chosen if pair.set_name == name)
    return Fold(name, shown, predict, traits, source)


def _drawn(predict: Predict, traits: ConfidenceCurve, each: int) -> list[Fold]:
    """Every ladder as a set, all of them one source, and demo plates as another."""
    climbed = [
        Fold(name, shown, predict, traits, "ladders", params)
        for name, params, shown in drawn_truth.ladders(each)
    ]
    return [*climbed, Fold("demo", drawn_truth.demo(1 + each // 2), predict, traits, "demo")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="training.confidence", description="Fit how far outlines can be trusted."
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/datasets"))
    parser.add_argument("--runs", type=Path, help="trainings that left sets out")
    parser.add_argument("--each", type=int, default=4, help="drawn scenes of each step of a ladder")
    parser.add_argument("--weights", type=Path, required=True, help="the weights that are shipped")
    parser.add_argument("--out", type=Path, required=True, help="confidence.json; other engines' curves stay")
    parser.add_argument("--engines", nargs="*", default=["unet"], choices=["unet", "classical"])
    parser.add_argument("--plot", type=Path, help="risk, coverage and calibration as a picture")
    given = parser.parse_args(arguments)
    fitted = {}
    if "unet" in given.engines:
        fitted["unet"] = _unet(given.data, given.runs, given.weights, given.each)
    if "classical" in given.engines:
        fitted["classical"] = _classical(given.data)
    about = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else {}
    about |= {name: result[0].to_dict() for name, result in fitted.items()}
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
