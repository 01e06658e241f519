"""Score an engine on image sets with masks: ``python -m training.evaluate --data DIR``, a row a set."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.segmentation import ENGINE_NAMES, EngineRegistry, SegmentationParams
from core.segmentation.engines.base import Prediction
from core.segmentation.engines.stored_maps import rounded
from core.segmentation.engines.weights import read_pin
from core.segmentation.outlines.postprocess import postprocess
from training.baselines import BASELINES
from training.data import TEST_SETS, Pair, pairs
from training.scores import score, summary

Outline = Callable[[NDArray[Any]], NDArray[np.int32]]
COLUMNS = ("set", "n", "iou_mean", "iou_median", "f1", "diameter_error_pct", "boundary_px", "share_below_0_7")


def outliner(name: str, weights: Path | None = None) -> Outline:
    """Labels of grey pixels by an engine or a baseline, with the default parameters.

    ``weights`` replaces the network's.
    """
    if name in BASELINES:
        return BASELINES[name]
    predict, params = predictor(name, weights), SegmentationParams()
    return lambda grey: postprocess(predict(grey), params, grey.shape)


def predictor(name: str, weights: Path | None = None) -> Callable[[NDArray[Any]], Prediction]:
    """What an engine sees in grey pixels, as the app would keep it."""
    engines, params = EngineRegistry.shipped(), SegmentationParams()
    engine = engines.get(name) if weights is None else engines.add_weights(name, weights)
    return lambda grey: rounded(engine.predict(grey, params))


def held_out(runs: Path) -> dict[str, Path]:
    """For each set that a training below ``runs`` has left out, the weights that never saw it.

    Raises:
        FileNotFoundError: there are none.
    """
    files = {}
    for file in sorted(runs.glob("*/unet.safetensors")):
        left_out = read_pin(file)["held_out"]
        assert isinstance(left_out, list)
        files |= {str(name): file for name in left_out if name not in TEST_SETS}
    if not files:
        raise FileNotFoundError(f"No weights below {runs} were trained without a set.")
    return files


def evaluate(
    chosen: Iterable[Pair], outline: Outline, tell: Callable[[str], None] = lambda _: None
) -> list[dict[str, object]]:
    """A row a set, in the order of the sets; ``tell`` is given a line an image."""
    scores: dict[str, list[Any]] = {}
    for pair in chosen:
        pixels, true = pair.read()
        one = score(outline(pixels), true)
        scores.setdefault(pair.set_name, []).append(one)
        tell(
            f"{pair.set_name}/{pair.image.name} IoU {one.iou:.3f}, "
            f"{one.predicted} found, {one.matched} of {one.true} right"
        )
    return [summary(name, items) for name, items in scores.items()]


def table(rows: Sequence[dict[str, object]]) -> str:
    """Rows as text, a column a figure."""
    cells = [list(COLUMNS), *([_cell(row[name]) for name in COLUMNS] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
    )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="training.evaluate", description="Score an engine, a row a set.")
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/datasets"), help="SET/images and SET/masks below"
    )
    parser.add_argument("--engine", choices=[*sorted(ENGINE_NAMES), *BASELINES], default="unet")
    parser.add_argument("--weights", type=Path, help="other weights for unet, with their JSON beside them")
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="RUNS",
        help="folder of trainings: each set is scored by the one that left it out",
    )
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--sets", nargs="*", metavar="SET", help="only these")
    parser.add_argument("--verbose", action="store_true", help="a line an image")
    given = parser.parse_args(arguments)
    chosen = [pair for pair in pairs(given.data) if not given.sets or pair.set_name in given.sets]
    tell = print if given.verbose else lambda _: None
    if given.held_out is None:
        rows = evaluate(chosen, outliner(given.engine, given.weights), tell)
    else:
        rows = [
            row
            for name, weights in held_out(given.held_out).items()
            for row in evaluate(
                [pair for pair in chosen if pair.set_name == name], outliner("unet", weights), tell
            )
        ]
    print(table(rows))
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
