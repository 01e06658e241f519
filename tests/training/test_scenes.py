"""Drawn scenes: every kind can be drawn, and what lies around a body is never labelled as body."""

import cv2
import numpy as np
import pytest

from core.demo.synthetic import BodySpec
from training import bodies, rims, scenes, surroundings, wells


def test_scenes_range_from_empty_to_full() -> None:
    drawn = [scenes.draw(np.random.default_rng(seed), 64) for seed in range(40)]
    cover = [float((scene.labels > 0).mean()) for scene in drawn]
    assert all(np.isfinite(scene.pixels).all() for scene in drawn)
    assert min(cover) == 0
    assert max(cover) > 0.5
    assert max(int(scene.labels.max()) for scene in drawn) > 20


def test_every_kind_of_scene_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in scenes.KINDS:
        monkeypatch.setattr(scenes, "KINDS", {kind: 1.0})
        drawn = scenes.draw(np.random.default_rng(5), 96)
        assert (drawn.labels > 0).any() == (kind != "empty"), kind
        assert (drawn.labels[drawn.core] > 0).all(), kind
        loose = (drawn.labels > 0) & ~drawn.core
        if kind in scenes.GLOWING:
            assert drawn.polarity == "bright"
            assert loose.any() == kind.startswith("invasive"), kind
        elif kind == "invasive":
            assert loose.any()


def test_a_well_leaves_the_body_in_it_as_it_is() -> None:
    body = BodySpec((60.0, 66.0), 30.0)
    labels = np.zeros((128, 128), np.int32)
    labels[52:80, 46:74] = 1
    for seed in range(20):
        density = np.zeros((128, 128), np.float32)
        wells.draw(np.random.default_rng(seed), density, labels, (body,))
        assert not density[labels > 0].any()
        assert density.max() > 0.5


def disc(size: int, radius: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size / 2
    return (np.hypot(x, y) < radius).astype(np.int32)


@pytest.mark.parametrize("seed", range(5))
def test_what_lies_around_a_body_is_added_outside_it_only(seed: int) -> None:
    rng, labels = np.random.default_rng(seed), disc(128, 25)
    halo, meniscus, light = (np.zeros((128, 128), np.float32) for _ in range(3))
    surroundings.halo(rng, halo, labels, 1.0)
    assert halo[labels > 0].max() == 0
    near, far = disc(128, 28) - labels > 0, disc(128, 60) == 0
    assert 0.1 < halo[near].mean() < 1.0
    assert halo[far].mean() < 0.2 * halo[near].mean()
    surroundings.meniscus(rng, meniscus, labels)
    assert meniscus[labels > 0].max() == 0
    assert meniscus.max() > 0.2
    light += 1
    surroundings.corona(rng, light, labels)
    assert np.ptp(light[labels > 0]) == 0
    assert light[near].mean() > light[labels > 0].mean()


def test_only_dense_and_large_bodies_have_a_halo() -> None:
    for labels, optical in ((disc(128, 25), 0.2), (disc(128, 3), 1.0), (disc(128, 25) * 0, 1.0)):
        density = np.zeros((128, 128), np.float32)
        assert surroundings.halo(np.random.default_rng(0), density, labels, optical) is labels
        assert not density.any()


def test_a_halo_belongs_to_the_whole_outline_of_the_body_that_it_is_around() -> None:
    cores = disc(160, 30)
    cores[4:30, 4:30] = 2
    for seed in range(20):
        density = np.zeros((160, 160), np.float32)
        whole = surroundings.halo(np.random.default_rng(seed), density, cores, 1.5)
        assert (whole[cores > 0] == cores[cores > 0]).all()
        added = (whole > 0) & (cores == 0)
        assert added.any()
        assert density[added].mean() > 3 * density[whole == 0].mean()
        assert cv2.connectedComponents((whole == 1).astype(np.uint8))[0] == 2


def test_a_drawn_halo_is_labelled_as_body_and_not_as_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "KINDS", {"single": 1.0})
    monkeypatch.setattr(scenes, "HALO", 1.0)
    drawn = [scenes.draw(np.random.default_rng(seed), 96) for seed in range(12)]
    haloed = [scene for scene in drawn if ((scene.labels > 0) & ~scene.core).any()]
    assert len(haloed) > 2
    assert all(scene.polarity == "dark" and (scene.labels[scene.core] > 0).all() for scene in haloed)


def test_blur_is_in_proportion_to_the_bodies_and_loses_none() -> None:
    large, both = disc(200, 50), disc(200, 50)
    both[:8, :8] = 2
    for seed in range(50):
        rng = np.random.default_rng(seed)
        assert 0.006 * 99 < surroundings.out_of_focus(rng, large) < 0.09 * 101
        assert surroundings.out_of_focus(rng, both) <= 0.1 * 9.1
    assert surroundings.out_of_focus(np.random.default_rng(0), 0 * large) == 0


def test_a_body_is_dark_where_it_stops_more_light_than_it_adds() -> None:
    labels = disc(64, 20)
    density = np.where(labels > 0, np.float32(0.2), np.float32(5))
    assert surroundings.is_dark(density, labels)
    assert not surroundings.is_dark(-density, labels)


def test_lobes_are_part_of_the_body_that_they_grow_from() -> None:
    layouts = [bodies.lay_out(np.random.default_rng(seed), "budding", 256) for seed in range(5)]
    assert any(len(layout.specs) > layout.numbers.max() for layout in layouts)
    for layout in layouts:
        assert len(layout.numbers) == len(layout.specs) + 1
        assert sorted(set(layout.numbers.tolist())) == list(range(layout.numbers.max() + 1))


def test_cells_grow_out_of_a_body_and_lone_ones_are_nobodys() -> None:
    dense = np.zeros((128, 128), np.int32)
    dense[50:80, 40:70] = 3
    rim = rims.grow(np.random.default_rng(1), dense)
    assert set(np.unique(rim.labels)) == {0, 3}
    assert (rim.labels[dense == 3] == 3).all()
    assert cv2.connectedComponents((rim.labels > 0).astype(np.uint8))[0] == 2
    assert (rim.cells[dense == 3] == 0).all()
    assert ((rim.cells > 0) & (rim.labels == 0)).any()
