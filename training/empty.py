"""Fit how sure an empty answer is: ``python -m training.empty --weights FILE ... --out confidence.json``.

Scenes with bodies and without are drawn, by the generator that trains and by the ladders'. Those in which the
weights find nothing, rightly or not, give the curve. Good weights are seldom wrong there, so that earlier,
worse ones may lend their mistakes: what stands out in an image does not hang on weights.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.ladders import LADDERS, rung
from core.segmentation import SegmentationParams
from core.segmentation.confidence import EMPTY_FEATURES, LOOK_BELOW, Curve, empty_features
from core.segmentation.engines.base import Prediction
from core.segmentation.outlines.postprocess import postprocess
from training import scenes
from training.confidence import Rated, fit
from training.evaluate import predictor

Scene = tuple[NDArray[Any], NDArray[np.int32]]

CLIMBED = ("debris", "focus", "noise", "well")
SIDE = 512
# of the bias and each feature: neither may make an empty answer surer
BOUNDS = ((None, None), (None, 0), (None, 0))


def drawn(each: int, first: int = 1000) -> Iterator[Scene]:
    """Scenes (pixels, labels): ``each`` of every step of some ladders, four times as many of training's."""
    for name in CLIMBED:
        for step in range(len(LADDERS[name].steps)):
            for number in range(each):
                made = rung(name, step, first + number)
                yield made.pixels, made.labels
    for number in range(4 * each):
        scene = scenes.draw(np.random.default_rng((11, first + number)), SIDE)
        yield scene.pixels, scene.labels


def empty_answers(shown: Iterable[Scene], predict: Callable[[NDArray[Any]], Prediction]) -> Rated:
    """Features of the answers that are empty, and 1 where rightly so, else 0."""
    rows = []
    for pixels, labels in shown:
        seen = predict(pixels)
        if not postprocess(seen, SegmentationParams(), pixels.shape).any():
            rows.append((empty_features(seen), float(not labels.any())))
    features = np.array([row[0] for row in rows]).reshape(-1, len(EMPTY_FEATURES))
    return Rated("empty", features, np.array([row[1] for row in rows], np.float64))


def balanced(rated: Rated) -> list[Rated]:
    """Right and wrong answers apart, so that both count the same."""
    return [
        Rated(name, rated.features[kind], rated.overlap[kind])
        for name, kind in (("right", rated.overlap == 1), ("wrong", rated.overlap == 0))
    ]


def sentence(curve: Curve, rated: Rated) -> str:
    """How many right and wrong empty answers the curve lets pass."""
    passed = curve(rated.features) >= LOOK_BELOW
    right = rated.overlap == 1
    return (
        f"{right.sum()} right, {np.sum(right & ~passed)} of them flagged; "
        f"{np.sum(~right)} wrong, {np.sum(~right & passed)} of them not flagged"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="training.empty", description="Fit how sure an empty answer is.")
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True, help="confidence.json, which is changed")
    parser.add_argument("--each", type=int, default=6, help="scenes of each step")
    given = parser.parse_args(arguments)
    found = [empty_answers(drawn(given.each), predictor("unet", file)) for file in given.weights]
    features = np.concatenate([one.features for one in found])
    rated = Rated("empty", features, np.concatenate([one.overlap for one in found]))
    curve = fit(balanced(rated), BOUNDS)
    about = json.loads(given.out.read_text(encoding="utf-8"))
    about["unet"]["empty"] = asdict(curve)
    given.out.write_text(json.dumps(about) + "\n", encoding="utf-8")
    print(sentence(curve, rated))


if __name__ == "__main__":
    main()
