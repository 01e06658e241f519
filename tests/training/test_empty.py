"""An empty answer is fitted on fields without bodies, and on bodies that a network would have overlooked."""

import numpy as np
import pytest

from core.segmentation.confidence import Curve
from core.segmentation.engines.base import Prediction
from training import empty
from training.confidence import fit

SIDE = 128


def scene(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc on a bright field; none where the radius is 0."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    labels = (np.hypot(rows, columns) < radius).astype(np.int32)
    return (200 - 120 * labels).astype(np.uint8), labels


def finds_nothing(grey: np.ndarray) -> Prediction:
    return Prediction(np.full(grey.shape, 0.03, np.float32), standing_out=0.001)


def test_a_body_that_nobody_sees_stands_out() -> None:
    blind, unsure = empty.overlooking(*scene(25))
    assert blind.standing_out == pytest.approx(np.pi * 25**2 / SIDE**2, rel=0.2)
    assert blind.inside.max() == 0
    assert unsure.inside.max() == pytest.approx(empty.NEARLY)


def test_right_and_wrong_answers_are_told_apart() -> None:
    rated = empty.empty_answers([scene(25), scene(0), scene(0), scene(3)], finds_nothing)
    assert rated.overlap.tolist() == [0, 0, 1, 1]
    curve = fit(empty.balanced(rated), empty.BOUNDS)
    assert max(curve.weights) < 0
    right, missed, unsure = curve(np.array([[0.03, 0.03], [0.0, 0.35], [0.4, 0.0]]))
    assert right > max(missed, unsure) + 0.3
    assert empty.sentence(curve, rated).startswith("2 right, ")


def test_an_answer_that_is_not_empty_does_not_count() -> None:
    def finds_one(_grey: np.ndarray) -> Prediction:
        return Prediction(scene(25)[1].astype(np.float32))

    assert empty.empty_answers([scene(0)], finds_one).features.shape == (0, 2)


def test_a_curve_counts_what_it_flags() -> None:
    rated = empty.empty_answers([scene(0)], finds_nothing)
    assert "1 right, 0 of them flagged; 0 wrong" in empty.sentence(Curve(3.0, (0.0, 0.0)), rated)
    assert "1 right, 1 of them flagged" in empty.sentence(Curve(-3.0, (0.0, 0.0)), rated)


@pytest.mark.slow
def test_scenes_with_bodies_and_without_are_drawn() -> None:
    shown = list(empty.drawn(1))
    assert {bool(labels.any()) for _, labels in shown} == {True, False}
    assert all(pixels.shape == labels.shape for pixels, labels in shown)
