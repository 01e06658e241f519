"""Confidence falls where the map is unsure, moves with the threshold, or looks different when mirrored."""

import json

import numpy as np
import pytest

from core.models.quality import LOOK_BELOW
from core.segmentation.confidence import (
    FEATURES,
    FILE,
    ConfidenceCurve,
    Curve,
    at_size,
    calibrations,
    image_features,
    novelty,
    object_features,
    rate,
)
from core.segmentation.engines.base import Prediction
from tests.engines import segment
from tests.segmentation.shapes import field, stored

SIDE = 100


def disc(x: int, radius: float, edge_px: float = 1.0) -> np.ndarray:
    """A map with one disc whose edge is a slope."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    away = radius - np.hypot(rows - 50, columns - x)
    return np.clip(0.5 + away / (2 * edge_px), 0, 1).astype(np.float32)


def labels_of(inside: np.ndarray) -> np.ndarray:
    return (inside >= 0.5).astype(np.int32)


def features(prediction: Prediction) -> dict[str, float]:
    labels = labels_of(prediction.inside)
    row = object_features(prediction, labels, 1, 0.0)[0]
    return dict(zip(FEATURES, row, strict=True))


def test_a_sharp_disc_that_both_looks_see_has_full_marks():
    clear = disc(50, 20, 0.1)
    assert features(Prediction(clear, second=clear)) == {
        "certainty": pytest.approx(1, abs=0.01),
        "margin": pytest.approx(1, abs=0.02),
        "agreement": 1,
        "unity": 1,
        "novelty": 0,
    }


def test_each_doubt_lowers_its_own_feature():
    clear = disc(50, 20, 0.1)
    sure = features(Prediction(clear, second=clear))
    vague = disc(50, 20, 8)
    assert features(Prediction(vague, second=vague))["margin"] < 0.8 * sure["margin"]
    assert features(Prediction(0.6 * clear, second=clear))["certainty"] < 0.7
    assert features(Prediction(clear, second=disc(60, 20, 0.1)))["agreement"] < 0.8
    assert features(Prediction(clear, second=np.zeros_like(clear)))["agreement"] == 0
    to_bfloat16 = features(Prediction(clear, second=clear, core=disc(50, 14, 0.1)))
    assert to_bfloat16["unity"] == pytest.approx(0.5, abs=0.03)
    assert {**to_bfloat16, "unity": 1} == sure


def test_every_object_is_rated_by_its_own_surroundings():
    inside = np.maximum(disc(25, 15, 0.1), 0.55 * disc(75, 15, 0.1))
    labels = np.where(np.arange(SIDE) < 50, 1, 2) * (inside >= 0.5)
    rows = object_features(Prediction(inside), labels.astype(np.int32), 2, 0.0)
    assert rows[0, 0] == pytest.approx(1, abs=0.01)
    assert rows[1, 0] == pytest.approx(0.55, abs=0.02)


def test_an_image_is_doubted_for_what_was_left_out_too():
    one, two = disc(25, 15, 0.1), disc(75, 15, 0.1)
    prediction = Prediction(np.maximum(one, 0.45 * two), second=np.maximum(one, two))
    mask = one >= 0.5
    doubted, sure = image_features(prediction, mask, 0), image_features(Prediction(one), mask, 0)
    assert (doubted[:3] < sure[:3]).all()


def test_an_empty_image_is_sure_of_it():
    nothing = Prediction(np.full((50, 50), 0.02, np.float32))
    assert image_features(nothing, np.zeros((50, 50), bool), 0)[:3] == pytest.approx([1, 1, 1])
    assert object_features(nothing, np.zeros((50, 50), np.int32), 0, 0).shape == (0, 5)


def test_an_empty_answer_is_doubted_for_what_stands_out_and_for_what_was_nearly_inside(monkeypatch):
    curve = ConfidenceCurve(
        Curve(0, (0, 0, 0, 0, 0)), Curve(0, (0, 0, 0, 0, 0)), empty=Curve(4.0, (-10.0, -20.0))
    )
    monkeypatch.setattr("core.segmentation.confidence.calibrations", lambda: {"unet": curve})
    nothing, labels = np.full((50, 50), 0.02, np.float32), np.zeros((50, 50), np.int32)
    nearly = nothing.copy()
    nearly[20:30, 20:30] = 0.45
    sure, missed, close = (
        rate(made, labels, "unet").image
        for made in (
            Prediction(nothing),
            Prediction(nothing, standing_out=0.1),
            Prediction(nearly, second=nothing),
        )
    )
    assert sure > LOOK_BELOW > max(missed, close)
    assert ConfidenceCurve.from_dict(json.loads(json.dumps(curve.to_dict()))) == curve
    outlined = labels.copy()
    outlined[20:30, 20:30] = 1
    assert rate(Prediction(nearly), outlined, "unet").image == 0.5


def test_novelty_counts_spreads_from_the_training_images():
    curve = Curve(0, (0, 0, 0, 0, 0))
    fitted = ConfidenceCurve(curve, curve, mean=(1.0, 2.0), spread=(1.0, 2.0))
    assert novelty(np.array([1, 2], np.float32), fitted) == 0
    assert novelty(np.array([2, 4], np.float32), fitted) == pytest.approx(1)
    assert novelty(None, fitted) == novelty(np.ones(2, np.float32), ConfidenceCurve(curve, curve)) == 0


def test_labels_at_another_size_keep_their_places():
    labels = np.zeros((40, 60), np.int32)
    labels[20:, 30:] = 7
    small = at_size(labels, (10, 15))
    assert small.shape == (10, 15)
    assert (small[5:, 8:] == 7).all()
    assert (small[:5] == 0).all()


def test_the_shipped_curves_are_fitted_for_both_engines():
    given = json.loads(FILE.read_text())
    assert calibrations() == {name: ConfidenceCurve.from_dict(about) for name, about in given.items()}
    for fitted in calibrations().values():
        best, worst = np.array([[1, 1, 1, 1, 0.5]]), np.array([[0.55, 0.2, 0.2, 0.5, 0.5]])
        for curve in (fitted.objects, fitted.images):
            assert curve(best)[0] > LOOK_BELOW > curve(worst)[0]


@pytest.mark.parametrize("engine", [pytest.param("unet", marks=pytest.mark.slow), "classical"])
def test_a_clear_scene_is_trusted_and_noise_is_not_taken_for_spheroids(engine):
    result = segment(
        stored(field([(110, 120, 40), (330, 130, 55)], noise=0.02), np.uint16, 4095), engine=engine
    )
    assert result.confidence is not None
    assert result.confidence > LOOK_BELOW
    assert all(item.confidence is not None and item.confidence > 0.6 for item in result.spheroids)
