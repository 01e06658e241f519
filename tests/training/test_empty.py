"""An empty answer is fitted on scenes in which nothing was found, rightly or not."""

import numpy as np
import pytest

from core.segmentation.confidence import Curve
from core.segmentation.engines.base import Prediction
from training import empty
from training.confidence import fit


def scene(has_body: bool) -> tuple[np.ndarray, np.ndarray]:
    labels = np.zeros((40, 40), np.int32)
    labels[10:20, 10:20] = has_body
    return labels.astype(np.uint8) * 9, labels


def overlooks(grey: np.ndarray) -> Prediction:
    return Prediction(np.zeros(grey.shape, np.float32), standing_out=0.06 if grey.any() else 0.001)


def test_empty_answers_are_right_where_there_is_nothing() -> None:
    rated = empty.empty_answers([scene(True), scene(False), scene(False)], overlooks)
    assert rated.overlap.tolist() == [0, 1, 1]
    assert rated.features[:, 1] == pytest.approx(np.sqrt([0.06, 0.001, 0.001]))
    curve = fit(empty.balanced(rated), empty.BOUNDS)
    assert curve.weights[1] < 0
    right, wrong = curve(np.array([[0.0, 0.03], [0.0, 0.25]]))
    assert right > 0.8
    assert wrong < 0.5
    assert empty.sentence(curve, rated).startswith("2 right, 0 of them flagged; 1 wrong, 0 ")


def test_answers_with_outlines_do_not_count() -> None:
    def finds(grey: np.ndarray) -> Prediction:
        return Prediction((grey > 0).astype(np.float32))

    rated = empty.empty_answers([scene(True)], finds)
    assert rated.features.shape == (0, 2)


@pytest.mark.slow
def test_scenes_with_bodies_and_without_are_drawn() -> None:
    shown = list(empty.drawn(1))
    assert {bool(labels.any()) for _, labels in shown} == {True, False}
    assert all(pixels.shape == labels.shape for pixels, labels in shown)


def test_a_curve_without_a_wrong_answer_flags_none() -> None:
    rated = empty.empty_answers([scene(False)], overlooks)
    assert "1 right, 0 of them flagged; 0 wrong" in empty.sentence(Curve(3.0, (0.0, 0.0)), rated)
