"""Scenes: same seed same bytes, truth that is true, and the looks that segmentation relies on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.demo.synthetic import BodySpec, Modality, SceneSpec, scene
from core.errors import InvalidRequest

MODALITIES = list(Modality)


def spec(*bodies: BodySpec, **changes: object) -> SceneSpec:
    return SceneSpec(bodies or (BodySpec((130, 120), 100),), (240, 260), **changes)


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_same_seed_draws_the_same_scene(modality: Modality) -> None:
    first, again = (scene(np.random.default_rng(5), spec(modality=modality)) for _ in range(2))
    other = scene(np.random.default_rng(6), spec(modality=modality))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_pixels_fill_the_cameras_bits_and_no_more(modality: Modality, bits: int, dtype: type) -> None:
    drawn = scene(np.random.default_rng(0), spec(modality=modality, bits=bits, loose_cells=60))
    assert drawn.pixels.dtype == dtype
    assert drawn.pixels.shape == drawn.labels.shape == (240, 260)
    assert drawn.labels.dtype == np.int32
    assert 2 ** (bits - 2) < drawn.pixels.max() <= 2**bits - 1


@given(diameter=st.floats(12, 180), irregularity=st.floats(0, 0.2), seed=st.integers(0, 2**32))
def test_the_label_has_the_diameter_that_was_asked_for(
    diameter: float, irregularity: float, seed: int
) -> None:
    # a staircase of whole pixels: half a pixel off where it is a dozen wide, a hundredth where it is large
    body = BodySpec((128.3, 127.6), diameter, irregularity)
    labels = scene(np.random.default_rng(seed), SceneSpec((body,), (512, 512), specks=0)).labels
    assert np.sqrt(4 * np.count_nonzero(labels) / np.pi) == pytest.approx(diameter, rel=0.01, abs=0.5)


def test_a_bodys_middle_is_where_it_was_asked_for() -> None:
    labels = scene(np.random.default_rng(0), spec(BodySpec((90.5, 140.5), 80, irregularity=0))).labels
    y, x = np.nonzero(labels)
    assert (x.mean() + 0.5, y.mean() + 0.5) == pytest.approx((90.5, 140.5), abs=0.5)


def test_bodies_are_numbered_in_order_and_the_first_keeps_shared_pixels() -> None:
    pair = spec(BodySpec((100, 120), 80), BodySpec((150, 120), 80))
    labels = scene(np.random.default_rng(0), pair).labels
    alone = scene(np.random.default_rng(0), spec(pair.bodies[0])).labels
    assert set(np.unique(labels)) == {0, 1, 2}
    assert np.array_equal(labels == 1, alone == 1)


@pytest.mark.parametrize("center", [(0, 0), (260, 120), (-300, 120), (130, 900)])
def test_bodies_may_be_cut_off_or_out_of_sight(center: tuple[float, float]) -> None:
    labels = scene(np.random.default_rng(0), spec(BodySpec(center, 90))).labels
    assert bool(labels.any()) == (center in {(0, 0), (260, 120)})


def test_an_empty_well_has_no_labels() -> None:
    assert not scene(np.random.default_rng(0), SceneSpec((), (64, 64))).labels.any()


def test_brightfield_bodies_are_dark_and_fluorescent_ones_bright() -> None:
    for modality, darker in ((Modality.BRIGHTFIELD, True), (Modality.FLUORESCENCE, False)):
        drawn = scene(np.random.default_rng(0), spec(modality=modality))
        inside, outside = drawn.pixels[drawn.labels > 0].mean(), drawn.pixels[drawn.labels == 0].mean()
        assert (inside < 0.8 * outside) if darker else (inside > 3 * outside)


def test_a_necrotic_core_is_darker() -> None:
    means = [
        scene(np.random.default_rng(0), spec(BodySpec((130, 120), 100, necrosis=necrosis))).pixels[
            110:130, 120:140
        ]
        for necrosis in (0.0, 0.6)
    ]
    assert means[1].mean() < 0.75 * means[0].mean()


def test_defocus_blurs() -> None:
    sharp, soft = (
        scene(np.random.default_rng(0), spec(defocus_px=defocus)).pixels.astype(float) for defocus in (0, 6)
    )
    assert np.abs(np.diff(soft)).mean() < 0.7 * np.abs(np.diff(sharp)).mean()


def test_a_well_wall_darkens_a_side_and_leaves_the_labels() -> None:
    for seed in range(5):
        plain, walled = (scene(np.random.default_rng(seed), spec(well_wall=wall)) for wall in (False, True))
        assert walled.pixels.min() < 0.6 * np.median(walled.pixels)
        assert np.array_equal(plain.labels, walled.labels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": (8, 300)}, "16 pixels"),
        ({"bits": 7}, "8 to 16 bits"),
        ({"bits": 17}, "8 to 16 bits"),
        ({"bodies": (BodySpec((5, 5), 0),)}, "diameter"),
        ({"bodies": (BodySpec((5, 5), float("nan")),)}, "diameter"),
    ],
)
def test_impossible_scenes_are_refused(changes: dict, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        SceneSpec(**{"bodies": (), **changes})
