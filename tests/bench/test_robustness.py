"""The ladders in short: scenes are what they claim to be, and outlines hold on each ladder's first steps."""

import cv2
import numpy as np
import pytest

from bench import robustness
from bench.ladders import LADDERS, rung, scenes
from core.segmentation import EngineRegistry


@pytest.mark.slow
@pytest.mark.parametrize("name", LADDERS)
def test_the_hardest_scene_of_a_ladder_is_always_the_same(name: str) -> None:
    last = len(LADDERS[name].steps) - 1
    made, again, other = rung(name, last, 0), rung(name, last, 0), rung(name, last, 1)
    assert np.array_equal(made.labels, again.labels)
    # not to the bit: a last digit that differs with the memory's alignment shifts the draws of photons
    assert made.pixels.mean() == pytest.approx(again.pixels.mean(), rel=1e-3)
    assert not np.array_equal(made.pixels, other.pixels)
    assert made.pixels.shape == made.labels.shape == (scenes.SIDE, scenes.SIDE)
    assert made.labels.dtype == np.int32
    assert (made.labels > 0).any() == (name != "debris")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.85])
def test_a_body_takes_the_share_of_the_field_that_is_wanted(share: float) -> None:
    made = scenes.field_share(np.random.default_rng(1), share)
    assert (made.labels > 0).mean() == pytest.approx(share, rel=0.02)
    assert made.pixels[made.labels > 0].mean() < 0.7 * made.pixels[made.labels == 0].mean()


def test_blur_grows_with_the_body() -> None:
    def fine(share: float) -> float:
        pixels = scenes.focus(np.random.default_rng(3), share).pixels.astype(np.float32)
        return float((pixels - cv2.GaussianBlur(pixels, (0, 0), 2)).std())

    assert fine(0.0) > 1.5 * fine(0.08)


def test_a_halo_is_part_of_the_whole_and_not_of_the_core() -> None:
    made, both = scenes.halo_of(np.random.default_rng(2), 0.6)
    core = made.labels > 0
    assert (both[core] > 0).all()
    assert both.sum() > 1.3 * core.sum()
    around = (both > 0) & ~core
    levels = [float(made.pixels[zone].mean()) for zone in (core, around, both == 0)]
    assert levels == sorted(levels)


def test_a_report_shows_version_0_1_beside_the_engines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(robustness, "LADDERS", {"focus": LADDERS["focus"], "debris": LADDERS["debris"]})
    monkeypatch.setattr(robustness, "BARS", {"focus": (0.9, 0.06)})
    monkeypatch.setattr(robustness, "climb", lambda *_: dict.fromkeys(robustness.FIGURES, 0.5))
    monkeypatch.setattr(robustness, "wrong_polarities", lambda _: 0)
    report = robustness.run(quick=True)
    report.print()
    shown = capsys.readouterr().out
    for engine in ("unet", "classical", "0.1"):
        assert sum(row["engine"] == engine for row in report.rows) == 12
        assert engine in shown


@pytest.mark.slow
@pytest.mark.parametrize("name", LADDERS)
def test_outlines_hold_on_the_first_step(name: str) -> None:
    least = {"halo, core": 0.8, "halo, whole": 0.5, "noise": 0.9, "pale": 0.9}.get(name, 0.85)
    figures = robustness.climb(name, 0, EngineRegistry.shipped().get("unet"), range(2))
    assert float(figures["iou"] or 0) >= least
    assert figures["found"] == 1


@pytest.mark.slow
def test_polarity_is_recognised_of_an_image_and_of_its_negative() -> None:
    assert robustness.wrong_polarities(range(10)) == 0
