"""Draw what still fails: ``python -m training.failures --out FILE``, the worst drawn scene of each ladder.

The true outline is orange, what the engine outlines is blue. The scenes are those of ``bench robustness``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.ladders import LADDERS, rung
from core.segmentation import Engine, EngineRegistry, SegmentationParams, segment
from core.segmentation.confidence import doubtful
from training.scores import score

TILE_PX, CAPTION_PX, COLUMNS = 320, 36, 4
TRUE, OURS = (230, 120, 0), (40, 110, 255)  # RGB
POOR = 0.85  # intersection over union from which on a scene is not called a failure


@dataclass(frozen=True, slots=True)
class Failure:
    """An outlined scene: grey pixels, true and outlined labels, all (Y, X); its caption, its overlap."""

    pixels: NDArray[Any]
    true: NDArray[np.int32]
    outlined: NDArray[np.int32]
    caption: str
    iou: float


def worst(name: str, engine: Engine, each: int) -> Failure:
    """The scene of a ladder, of ``each`` a step, whose outlines overlap least with the truth."""
    numbers = ((step, number) for step in range(len(LADDERS[name].steps)) for number in range(each))
    return min((_outlined(name, step, number, engine) for step, number in numbers), key=lambda one: one.iou)


def _outlined(name: str, step: int, number: int, engine: Engine) -> Failure:
    ladder, made = LADDERS[name], rung(name, step, number)
    params = SegmentationParams() if ladder.outline is None else SegmentationParams(outline=ladder.outline)
    result = segment(made.pixels, params, engine)
    iou = score(result.labels, made.labels).iou
    flag = ", flagged" if doubtful(result.confidence) else ""
    caption = f"{name} {ladder.steps[step]:g}: IoU {iou:.2f}{flag}"
    return Failure(made.pixels, made.labels, result.labels, caption, iou)


def tile(failure: Failure) -> NDArray[np.uint8]:
    """A scene with both outlines and its caption: RGB, uint8 (Y, X, 3)."""
    low, high = np.percentile(failure.pixels, (0.2, 99.8))
    grey = np.clip((failure.pixels - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(
        cv2.resize(grey, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2RGB
    )
    for labels, colour in ((failure.true, TRUE), (failure.outlined, OURS)):
        small = cv2.resize(labels, (TILE_PX, TILE_PX), interpolation=cv2.INTER_NEAREST)
        for number in range(1, int(small.max()) + 1):
            body = (small == number).view(np.uint8)
            lines, _ = cv2.findContours(body, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, lines, -1, colour, 2)
    caption = np.full((CAPTION_PX, TILE_PX, 3), 255, np.uint8)
    cv2.putText(caption, failure.caption, (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([picture, caption])


def sheet(failures: Sequence[Failure]) -> NDArray[np.uint8]:
    """Tiles side by side, the worst first: RGB, uint8 (Y, X, 3)."""
    tiles = [tile(failure) for failure in sorted(failures, key=lambda one: one.iou)]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[at : at + COLUMNS], axis=1) for at in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="training.failures", description="Draw what still fails.")
    parser.add_argument("--out", type=Path, required=True, help="the picture, WebP or PNG")
    parser.add_argument("--each", type=int, default=3, help="scenes of each step of a ladder")
    parser.add_argument("--weights", type=Path, help="other weights than the shipped ones")
    given = parser.parse_args(arguments)
    engines = EngineRegistry.shipped()
    engine = engines.get("unet") if given.weights is None else engines.add_weights("unet", given.weights)
    failures = [one for name in LADDERS if (one := worst(name, engine, given.each)).iou < POOR]
    if not failures:
        print(f"Every scene has an IoU of {POOR} or more: no picture was written.")
        return
    cv2.imwrite(str(given.out), cv2.cvtColor(sheet(failures), cv2.COLOR_RGB2BGR))
    print("\n".join(one.caption for one in failures))


if __name__ == "__main__":
    main()
