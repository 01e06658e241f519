"""What only the coarser of two predictions shows whole is added to the finer one, and nothing else."""

import cv2
import numpy as np
import pytest

from core.segmentation.engines.base import Prediction
from core.segmentation.engines.scales import add_large

COARSE, FINE = 128, 256


def disc(side: int, x: float, y: float, radius: float, thickness: int = cv2.FILLED) -> np.ndarray:
    """A map (side, side) of one disc or ring; place and size are shares of the side."""
    drawn = np.zeros((side, side), np.float32)
    cv2.circle(drawn, (round(x * side), round(y * side)), round(radius * side), 1.0, thickness)
    return drawn


def covered(inside: np.ndarray, x: float, y: float, radius: float) -> float:
    """Share of a disc that is inside."""
    body = disc(len(inside), x, y, radius) > 0
    return float((inside >= 0.5)[body].mean())


def test_a_large_hollow_body_is_filled_from_further_away() -> None:
    fine = Prediction(disc(FINE, 0.3, 0.3, 0.15, thickness=4), disc(FINE, 0.3, 0.3, 0.15, thickness=4))
    coarse = Prediction(disc(COARSE, 0.3, 0.3, 0.15), disc(COARSE, 0.3, 0.3, 0.15))
    merged = add_large(fine, coarse)
    assert covered(fine.inside, 0.3, 0.3, 0.12) < 0.1
    assert covered(merged.inside, 0.3, 0.3, 0.12) == 1
    assert covered(merged.dense, 0.3, 0.3, 0.12) == 1
    assert merged.second is not None
    assert merged.second.shape == (FINE, FINE)


@pytest.mark.parametrize(
    ("fine", "coarse"),
    [
        pytest.param(disc(FINE, 0.3, 0.3, 0.14), disc(COARSE, 0.3, 0.3, 0.15), id="what the finer map has"),
        pytest.param(np.zeros((FINE, FINE)), disc(COARSE, 0.3, 0.3, 0.05), id="a small body"),
        pytest.param(
            np.zeros((FINE, FINE)), disc(COARSE, 0.3, 0.3, 0.3, thickness=5), id="what is not compact"
        ),
    ],
)
def test_all_else_is_as_the_finer_map_has_it(fine: np.ndarray, coarse: np.ndarray) -> None:
    fine = fine.astype(np.float32)
    coarse[60:70, 60:70] = 0  # an opening, so that the ring is no filled disc
    assert np.array_equal(add_large(Prediction(fine), Prediction(coarse)).inside, fine)


def test_two_bodies_that_touch_are_both_added() -> None:
    coarse = np.maximum(disc(COARSE, 0.3, 0.5, 0.15), disc(COARSE, 0.6, 0.5, 0.15))
    merged = add_large(Prediction(np.zeros((FINE, FINE), np.float32)), Prediction(coarse))
    assert covered(merged.inside, 0.3, 0.5, 0.14) > 0.98
    assert covered(merged.inside, 0.6, 0.5, 0.14) > 0.98
