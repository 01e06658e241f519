"""Confidence is fitted on what was not seen, and judged by how well it sorts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.ladders import LADDERS, rung
from core.demo.plate import demo_scenes
from core.segmentation.confidence import FEATURES, ConfidenceCurve, Curve
from core.segmentation.engines.base import Prediction
from training import drawn_truth
from training.confidence import Fold, Rated, calibrate, fit, judged, look_at
from training.data import pairs
from training.risk import curve, draw_curves, risk

NOTHING = Curve(0.0, (0.0,) * len(FEATURES))


def rated(name: str, seed: int, n: int = 200) -> Rated:
    """Outlines whose overlap follows the margin."""
    rng = np.random.default_rng(seed)
    features = np.column_stack([rng.uniform(0, 1, (n, 4)), np.full(n, 0.5)])
    overlap = 1 / (1 + np.exp(-(6 * features[:, 1] - 3 + rng.normal(0, 0.3, n))))
    return Rated(name, features, overlap, name)


def test_a_curve_finds_what_overlap_follows() -> None:
    fitted = fit([rated("a", 0), rated("b", 1)])
    weights = dict(zip(FEATURES, fitted.weights, strict=True))
    assert weights["margin"] > 3
    assert abs(weights["certainty"]) + abs(weights["agreement"]) < 0.5
    assert weights["novelty"] == 0
    expected = fitted(np.array([[0.5, 0.5, 0.5, 0.5, 0.5]]))[0]
    assert expected == pytest.approx(0.5, abs=0.05)


def test_doubt_never_raises_confidence() -> None:
    odd = rated("odd", 3)
    odd.features[:, 4] = odd.overlap  # by chance the stranger images came out better
    fitted = fit([odd, rated("b", 1)])
    assert fitted.weights[4] <= 0
    assert min(fitted.weights[:4]) >= 0


def test_every_source_counts_the_same() -> None:
    few, many = rated("few", 0, 20), rated("many", 1, 2000)
    low = Rated("low", few.features, np.zeros(20), "low")
    mixed = fit([low, many])(few.features).mean()
    assert mixed == pytest.approx((0 + many.overlap.mean()) / 2, abs=0.07)
    halves = [
        replace(many, features=many.features[half], overlap=many.overlap[half])
        for half in np.split(np.arange(2000), 2)
    ]
    assert fit([low, *halves])(few.features).mean() == pytest.approx(mixed), "sets of one source are one"


def test_confidence_that_sorts_well_is_near_the_ideal() -> None:
    groups = [rated(name, seed) for seed, name in enumerate("abc")]
    good = judged(groups)
    assert good.ideal <= good.area < good.random
    assert good.gain > 0.8
    assert good.calibration_error < 0.05
    shuffled = [replace(g, overlap=np.random.default_rng(9).permutation(g.overlap)) for g in groups]
    assert judged(shuffled).gain < 0.3


def test_areas_of_a_small_example() -> None:
    rating = risk(np.array([0.9, 0.1, 0.5]), np.array([1.0, 0.4, 0.7]))
    assert rating.area == rating.ideal == pytest.approx((0 + 0.15 + 0.3) / 3)
    assert rating.random == pytest.approx(0.3)
    assert rating.gain == pytest.approx(1)
    assert curve(np.array([0.0, 1.0])).tolist() == [0.0, 0.5]
    assert "chance 0.3000" in rating.sentence()
    assert rating.below(0.3).startswith("below 0.3: 1 of 3, mean IoU 0.400 (others 0.850), with 1 of the 1")


def test_outlines_are_drawn_as_a_picture(tmp_path: Path) -> None:
    rating = risk(np.linspace(0, 1, 20), np.linspace(0.2, 1, 20))
    draw_curves({"images": rating, "objects": rating}, tmp_path / "risk.svg")
    assert "coverage" in (tmp_path / "risk.svg").read_text()


def test_images_and_objects_are_looked_at(sets: Path) -> None:
    masks = {pair.read()[0].tobytes(): pair.read()[1] for pair in pairs(sets)}

    def knows(grey: np.ndarray) -> Prediction:
        return Prediction((masks[grey.tobytes()] > 0).astype(np.float32))

    traits = ConfidenceCurve(NOTHING, NOTHING)
    folds = {
        name: Fold(name, [pair.read() for pair in pairs(sets) if pair.set_name == name], knows, traits, name)
        for name in ("first", "second")
    }
    images, objects = look_at(folds["first"])
    assert (images.set_name, len(images.overlap)) == ("first", 2)
    assert images.overlap == pytest.approx([1, 1])
    assert objects.overlap == pytest.approx([1, 1])
    fitted, of_images, of_objects = calibrate(folds.values())
    assert fitted.images(images.features)[0] > 0.9
    assert len(of_images.overlap) == len(of_objects.overlap) == 4


def test_an_empty_answer_is_left_to_its_own_curve(sets: Path) -> None:
    shown = [pair.read() for pair in pairs(sets)]
    blind = Fold(
        "any",
        shown,
        lambda grey: Prediction(np.zeros(grey.shape, np.float32)),
        ConfidenceCurve(NOTHING, NOTHING),
        "any",
    )
    images, objects = look_at(blind)
    assert len(images.overlap) == len(objects.overlap) == 0


def test_drawn_truth_shares_no_image_with_the_benchmarks() -> None:
    groups = {name: shown for name, _, shown in drawn_truth.ladders(1)}
    assert {params.outline for name, params, _ in drawn_truth.ladders(1) if "core" in name} == {"core"}
    assert set(groups) == set(LADDERS)
    pixels, labels = next(groups["focus"])
    assert pixels.shape == labels.shape
    assert labels.max() == 1
    assert all(not np.array_equal(pixels, rung("focus", 0, number).pixels) for number in range(3))
    mine, _ = next(drawn_truth.demo(1))
    theirs = [drawn.pixels for _, (_, drawn) in zip(range(3), demo_scenes(), strict=False)]
    assert all(not np.array_equal(mine, other) for other in theirs)
