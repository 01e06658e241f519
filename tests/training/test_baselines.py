"""Peers are scored as they are: one clear body is found by each, whichever way round it is."""

import importlib.util

import numpy as np
import pytest

from core.demo.synthetic import BodySpec, SceneSpec, scene
from training.baselines import BASELINES

PEERS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name == "spheroidkit" and importlib.util.find_spec(name) is None, reason="spheroidkit is optional"
        ),
    )
    for name in BASELINES
]


# Sauvola's window is narrower than this body, so it finds little more than the rim.
MIN_OVERLAP = {"otsu": 0.7, "sauvola": 0.2, "spheroidkit": 0.7}


@pytest.mark.parametrize("name", PEERS)
def test_one_clear_body_is_found(name: str) -> None:
    made = scene(np.random.default_rng(1), SceneSpec((BodySpec((200.0, 210.0), 130.0),), (400, 400)))
    for pixels in (made.pixels, made.pixels.max() - made.pixels):
        labels = BASELINES[name](pixels)
        assert labels.shape == made.labels.shape
        both = np.count_nonzero((labels > 0) & (made.labels > 0))
        assert both / np.count_nonzero((labels > 0) | (made.labels > 0)) > MIN_OVERLAP[name]


@pytest.mark.parametrize("name", ["otsu", "sauvola"])
def test_a_plain_image_holds_nothing(name: str) -> None:
    assert not BASELINES[name](np.full((64, 64), 300, np.uint16)).any()
