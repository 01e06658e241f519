"""Fit how sure an empty answer is: ``python -m training.empty --weights FILE --out confidence.json``.

Right ones are what the weights say of drawn fields without bodies. Wrong ones have become too rare to be
found, so they are made: what a network would answer that sees nothing of a scene's bodies, or too little.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.ladders import LADDERS, rung
from core.models.quality import LOOK_BELOW
from core.segmentation import SegmentationParams
from core.segmentation.confidence import EMPTY_FEATURES, Curve, empty_features
from core.segmentation.engines.base import Prediction
from core.segmentation.engines.contrast import overlooked_bodies, readings
from core.segmentation.engines.unet import normalise, working_copy
from core.segmentation.outlines.postprocess import postprocess
from training import scenes
from training.confidence import Rated, fit
from training.evaluate import predictor

Scene = tuple[NDArray[Any], NDArray[np.int32]]

WITH_BODIES = ("focus", "pale", "gradient", "halo, core")
SIDE = 512
NEARLY = 0.4  # probability with which a body was nearly found
MIN_SHARE = 0.01  # of the field: a smaller body does not stand out from debris
# of the bias and each feature: neither may make an empty answer surer
BOUNDS = ((None, None), (None, 0), (None, 0))
RIDGE = 1e-3  # with a greater one no empty answer would be sure enough not to be looked at


def drawn(each: int, first: int = 1000) -> Iterator[Scene]:
    """Scenes (pixels, labels): fields with debris and with bodies, ``each`` of a step, and training's."""
    for name in ("debris", *WITH_BODIES):
        for step in range(len(LADDERS[name].steps)):
            for number in range(each):
                made = rung(name, step, first + number)
                yield made.pixels, made.labels
    for number in range(8 * each):
        scene = scenes.draw(np.random.default_rng((11, first + number)), SIDE)
        yield scene.pixels, scene.labels


def empty_answers(shown: Iterable[Scene], predict: Callable[[NDArray[Any]], Prediction]) -> Rated:
    """Features of empty answers, and 1 where they are right, else 0."""
    rows = []
    for pixels, labels in shown:
        if (labels > 0).mean() >= MIN_SHARE:
            rows += [(empty_features(seen), 0.0) for seen in overlooking(pixels, labels)]
        elif not labels.any():
            seen = predict(pixels)
            if not postprocess(seen, SegmentationParams(), pixels.shape).any():
                rows.append((empty_features(seen), 1.0))
    features = np.array([row[0] for row in rows]).reshape(-1, len(EMPTY_FEATURES))
    return Rated("empty", features, np.array([row[1] for row in rows], np.float64), "empty")


def overlooking(pixels: NDArray[Any], labels: NDArray[np.int32]) -> tuple[Prediction, Prediction]:
    """Answers of a network that sees nothing of the bodies, and of one that sees them, but not surely."""
    image = normalise(working_copy(pixels, SIDE))
    size = (image.shape[1], image.shape[0])
    bodies = cv2.resize((labels > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    nothing, contrast = np.zeros_like(image), readings(image)[0].views[1]
    stands_out = float(overlooked_bodies(contrast, nothing).mean())
    return Prediction(nothing, standing_out=stands_out), Prediction(np.float32(NEARLY) * bodies)


def balanced(rated: Rated) -> list[Rated]:
    """Right and wrong answers apart, so that both count the same."""
    return [
        Rated(name, rated.features[kind], rated.overlap[kind], name)
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
    parser.add_argument("--weights", type=Path, required=True, help="the weights that are shipped")
    parser.add_argument("--out", type=Path, required=True, help="confidence.json, which is changed")
    parser.add_argument("--each", type=int, default=6, help="scenes of each step")
    given = parser.parse_args(arguments)
    rated = empty_answers(drawn(given.each), predictor("unet", given.weights))
    curve = fit(balanced(rated), BOUNDS, RIDGE)
    about = json.loads(given.out.read_text(encoding="utf-8"))
    about["unet"]["empty"] = asdict(curve)
    given.out.write_text(json.dumps(about) + "\n", encoding="utf-8")
    print(sentence(curve, rated))


if __name__ == "__main__":
    main()
