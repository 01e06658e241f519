"""The network's engine: only its own weights, the same outlines whatever the bit depth and polarity."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.demo.synthetic import BodySpec, SceneSpec, scene
from core.errors import InvalidRequest, SegmentationError
from core.segmentation import Arithmetic, EngineRegistry, SegmentationParams
from core.segmentation import segment as segment_with
from core.segmentation.engines import precision
from core.segmentation.engines.contrast import Reading
from core.segmentation.engines.unet import (
    certainty,
    infer,
    most_certain,
    normalise,
    predict_with,
    typical_diameter,
    working_copy,
)
from core.segmentation.engines.unet_model import VIEWS, UNet
from core.segmentation.engines.weights import SHIPPED, load, read_pin, save
from tests.engines import segment

pytestmark = pytest.mark.slow

WIDTHS = (4, 6, 8)


@pytest.fixture(scope="module")
def spheroid() -> np.ndarray:
    """16-bit picture of one dark spheroid."""
    spec = SceneSpec((BodySpec((250.0, 270.0), 190.0),), (512, 512), bits=16)
    return scene(np.random.default_rng(3), spec).pixels


def network(seed: int = 0) -> UNet:
    torch.manual_seed(seed)
    return UNet(WIDTHS).eval()


def test_the_shipped_weights_are_the_pinned_ones() -> None:
    about = read_pin()
    assert load().multiple == 2 ** len(about["widths"])
    assert SHIPPED.stat().st_size <= 12_000_000


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    for file in (SHIPPED, SHIPPED.with_suffix(".json")):
        shutil.copy(file, tmp_path)
    other = tmp_path / SHIPPED.name
    data = bytearray(other.read_bytes())
    data[-1] ^= 1
    other.write_bytes(data)
    with pytest.raises(SegmentationError, match="is not the one that this version was tested with"):
        load(other)


def test_a_missing_file_or_pin_is_said(tmp_path: Path) -> None:
    with pytest.raises(SegmentationError, match=r"unet\.json"):
        load(tmp_path / "unet.safetensors")
    shutil.copy(SHIPPED.with_suffix(".json"), tmp_path)
    with pytest.raises(SegmentationError, match="missing"):
        load(tmp_path / "unet.safetensors")


def test_saved_weights_come_back(tmp_path: Path) -> None:
    folded = network().fold()
    file = save(tmp_path / "small.safetensors", folded, WIDTHS, {"steps": 7})
    assert json.loads(file.with_suffix(".json").read_text())["steps"] == 7
    x = torch.rand(1, VIEWS, 32, 32)
    assert torch.allclose(load(file)(x), folded(x), atol=0.01)


def test_folding_changes_nothing() -> None:
    net = network()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.uniform_(-1, 1)
                module.running_var.uniform_(0.5, 2)
        x = torch.rand(2, VIEWS, 32, 48)
        before = net(x)
        assert before.shape == (2, 4, 32, 48)
        assert torch.allclose(net.fold()(x), before, atol=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (37, 61), (1, 50), (9, 2)])
def test_maps_have_the_images_size(shape: tuple[int, int]) -> None:
    maps = infer(network(), np.zeros((VIEWS, *shape), np.float32))
    assert maps.inside.shape == shape
    assert maps.core is not None
    assert maps.core.shape == shape
    assert maps.inside.dtype == np.float32
    assert (maps.inside >= 0).all()
    assert (maps.inside <= 1).all()


class Echo(torch.nn.Module):
    """Says that bodies are where the contrast is."""

    multiple = 8
    inputs = 2

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def encode(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [x]

    def decode(self, features: list[torch.Tensor]) -> torch.Tensor:
        return (9 * features[0][:, 1:, ::2, ::2] - 4).expand(-1, 4, -1, -1)


@pytest.mark.parametrize(("side", "working"), [(24, 1024), (200, 512)])
def test_small_bodies_in_a_large_image_are_looked_at_again(side: int, working: int) -> None:
    pixels = np.zeros((1024, 1024), np.uint8)
    pixels[100 : 100 + side, 100 : 100 + side] = 255
    pixels[600 : 600 + side, 500 : 500 + side] = 255
    assert predict_with(Echo(), pixels, SegmentationParams()).inside.shape == (working, working)
    assert predict_with(Echo(), pixels[:700, :700], SegmentationParams()).inside.shape == (512, 512)


def test_the_surer_way_to_read_an_image_is_taken() -> None:
    vague, sure, nothing = (Reading(np.zeros((VIEWS, 64, 64), np.float32), dark=True) for _ in range(3))
    vague.views[1, 16:48, 16:48] = 0.5  # the map there is 0.62
    sure.views[1, 20:40, 20:40] = 1
    for ways, best in (([vague, sure], sure), ([sure, vague], sure), ([nothing, sure], sure)):
        seen, prediction = most_certain(Echo(), ways)
        assert seen is best
        assert (prediction.inside >= 0.5).any()
    assert most_certain(Echo(), [nothing, replace(nothing)])[0] is nothing
    assert most_certain(Echo(), [sure, replace(sure)])[0] is sure


def test_certainty_is_of_what_may_be_inside() -> None:
    assert certainty(np.zeros((4, 4), np.float32)) == 1
    assert certainty(np.array([[0.0, 0.1, 0.4, 0.9]], np.float32)) == pytest.approx(0.75)


class Near(Echo):
    """Sees bodies only in copies of more than 300 pixels."""

    def decode(self, features: list[torch.Tensor]) -> torch.Tensor:
        logits = super().decode(features)
        return logits if features[0].shape[-1] > 300 else torch.full_like(logits, -9)


class Far(Echo):
    """Sees bodies only in copies of up to 200 pixels."""

    def decode(self, features: list[torch.Tensor]) -> torch.Tensor:
        logits = super().decode(features)
        return logits if features[0].shape[-1] <= 200 else torch.full_like(logits, -4)


def test_a_body_that_only_a_smaller_picture_shows_is_found() -> None:
    rows, columns = np.mgrid[:512, :512]
    pixels = np.where(np.hypot(rows - 256, columns - 256) < 80, 60, 200).astype(np.uint8)
    inside = predict_with(Far(), pixels, SegmentationParams()).inside
    assert (inside >= 0.5).sum() == pytest.approx(np.pi * 80**2, rel=0.1)
    speckled = np.full((512, 512), 200, np.uint8)
    speckled[::40, ::40] = 60
    assert not (predict_with(Far(), speckled, SegmentationParams()).inside >= 0.5).any()


class Fine(Echo):
    """Sees bodies only in copies of more than 600 pixels, with this logit."""

    def __init__(self, logit: float = 5.0) -> None:
        super().__init__()
        self.logit = logit

    def decode(self, features: list[torch.Tensor]) -> torch.Tensor:
        logits = super().decode(features).clamp(-9, self.logit)
        return logits if features[0].shape[-1] > 600 else torch.full_like(logits, -9)


@pytest.mark.parametrize(
    ("radius", "logit", "shown"),
    [(18, 5.0, True), (18, 0.5, False), (160, 5.0, False), (4, 5.0, False)],
    ids=["small bodies", "unsure", "one large body", "specks"],
)
def test_small_bodies_that_only_a_larger_picture_shows_are_found(
    radius: int, logit: float, shown: bool
) -> None:
    pixels = np.full((1024, 1024), 200, np.uint8)
    step = max(128, 3 * radius)
    for x in range(step // 2, 1024, step):
        for y in range(step // 2, 1024, step):
            cv2.circle(pixels, (x, y), radius, 60, -1)
    inside = predict_with(Fine(logit), pixels, SegmentationParams()).inside
    assert (inside >= 0.5).any() == shown
    if shown:
        assert (inside >= 0.5).mean() == pytest.approx((pixels == 60).mean(), rel=0.15)


@pytest.mark.parametrize(("speck", "share"), [(255, 0.5), (150, 1.0)])
def test_both_looks_count_half_unless_bodies_glow_on_black(speck: int, share: float) -> None:
    pixels = np.full((512, 512), 150, np.uint8)
    pixels[180:340, 180:340] = 60
    pixels[::20, ::20] = speck  # brighter than the field, which black never is
    for image in (pixels, 255 - pixels):
        inside = predict_with(Near(), image, SegmentationParams(polarity="auto")).inside
        assert inside[260, 260] == pytest.approx(share, abs=0.05)


def test_debris_does_not_ask_for_a_second_look() -> None:
    inside = np.zeros((512, 512), np.float32)
    inside[100:200, 100:200] = 1
    inside[300::8, ::8] = 1
    assert typical_diameter(inside) == pytest.approx(100, rel=0.15)
    assert typical_diameter(np.zeros((9, 9), np.float32)) == 0
    assert typical_diameter(np.ones((9, 12), np.float32)) == 12


def test_bodies_that_touch_are_as_large_as_those_that_do_not() -> None:
    rows, columns = np.mgrid[:300, :300]
    alone = np.hypot(rows - 150, columns - 150) < 20
    crowd = np.hypot(rows % 39 - 19.5, columns % 39 - 19.5) < 20
    assert typical_diameter(alone.astype(np.float32)) == pytest.approx(40, rel=0.05)
    assert typical_diameter(crowd.astype(np.float32)) == pytest.approx(40, rel=0.1)


def test_every_depth_of_one_picture_gives_the_same_outline(spheroid: np.ndarray) -> None:
    depths = [
        spheroid,
        spheroid >> 4,
        spheroid >> 2,
        (spheroid >> 8).astype(np.uint8),
        spheroid / np.float32(3),
    ]
    diameters = [_only(image) for image in depths]
    assert diameters[0] == pytest.approx(190, rel=0.03)
    assert diameters == pytest.approx([diameters[0]] * 5, rel=0.01)


def test_the_inverted_picture_gives_the_same_outline(spheroid: np.ndarray) -> None:
    assert _only(spheroid.max() - spheroid) == pytest.approx(_only(spheroid), rel=0.01)


def _only(image: np.ndarray) -> float:
    spheroids = segment(
        image.astype(np.float32) if image.dtype == np.float64 else image, engine="unet"
    ).spheroids
    assert len(spheroids) == 1
    diameter = spheroids[0].measurements["equivalent_diameter"]
    assert isinstance(diameter, float)
    return diameter


@pytest.mark.parametrize("level", [0, 40_000])
def test_an_even_image_has_no_spheroid(level: int) -> None:
    assert segment(np.full((300, 200), level, np.uint16), engine="unet").spheroids == ()


def test_pixels_without_a_number_do_not_spread(spheroid: np.ndarray) -> None:
    image = spheroid.astype(np.float32)
    image[10:14, 10:14] = np.nan
    assert _only(image) == pytest.approx(_only(spheroid), rel=0.01)
    assert normalise(working_copy(np.full((40, 40), np.nan, np.float32), 512)).any() == np.False_


def test_threads_and_repeats_agree(spheroid: np.ndarray) -> None:
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: segment(spheroid, engine="unet").labels, range(4)))
    assert all(np.array_equal(results[0], other) for other in results[1:])


def test_half_the_bits_give_nearly_the_same_outline(spheroid: np.ndarray) -> None:
    exact = segment(spheroid, engine="unet").labels > 0
    rough_engine = EngineRegistry.shipped(Arithmetic(2, "bfloat16")).get("unet")
    rough = segment_with(spheroid, SegmentationParams(), rough_engine).labels > 0
    assert np.count_nonzero(exact & rough) > 0.98 * np.count_nonzero(exact | rough)
    assert torch.get_num_threads() == 2
    assert np.array_equal(segment(spheroid, engine="unet").labels > 0, exact)
    assert torch.get_num_threads() == 1


def test_bfloat16_is_taken_only_where_it_is_faster_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    net = load()
    times = {torch.float32: 1.0, torch.bfloat16: 0.5}
    monkeypatch.setattr(precision, "_seconds", lambda module, _: times[next(module.parameters()).dtype])
    assert precision.bfloat16_pays(net)
    times[torch.bfloat16] = 0.9
    assert not precision.bfloat16_pays(net)
    times[torch.bfloat16] = 0.5
    monkeypatch.setattr(precision, "MAX_PROBABILITY_DIFFERENCE", 0.0)
    assert not precision.bfloat16_pays(net)


def test_arithmetic_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="SEGMENTATION_PRECISION must be one of auto, float32, bfloat16"):
        Arithmetic(precision="float8")
    with pytest.raises(InvalidRequest, match="at least one thread"):
        Arithmetic(threads=0)
