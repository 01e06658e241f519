"""Small image sets with masks, as training and scoring find them."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.demo.synthetic import BodySpec, SceneSpec, scene


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """More threads than free cores make these small steps a hundred times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of two small images with masks, and one without masks."""
    root = tmp_path_factory.mktemp("sets")
    for number, name in enumerate(("first", "second")):
        for i in range(2):
            body = BodySpec((60.0, 50.0), 40.0)
            made = scene(np.random.default_rng((number, i)), SceneSpec((body,), (100, 120), bits=8))
            write(root / name / "images" / f"{i}.png", made.pixels)
            write(root / name / "masks" / f"{i}.png", made.labels.astype(np.uint8))
    write(root / "unlabelled" / "images" / "0.png", np.zeros((20, 20), np.uint8))
    return root
