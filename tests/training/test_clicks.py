"""What clicks are learnt from: wrong outlines, clicks on them, and weights that begin as the engine's."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

from core.segmentation.engines.click_network import INPUTS, SIDE, VIEWS
from core.segmentation.engines.weights import load
from training import clicks
from training.clicks import ClickBatches, fresh, loss, widened, window_of
from training.data import Batches, RealImages, pairs
from training.spoiled import KINDS, blob, click_on, spoil
from training.train import Plan, export, train
from training.train import fresh as fresh_engine

WIDTHS = (4, 8)
SHAPE = (96, 96)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    return np.asarray(np.hypot(rows - y, columns - x) <= radius)


@pytest.mark.parametrize("kind", list(KINDS))
def test_outlines_of_every_kind_are_wrong_around_their_spheroid(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.spoiled.KINDS", {kind: 1.0})
    truth, neighbours = disc(40, 48, 20), disc(70, 48, 9)
    contrast = np.where(truth | neighbours, 0.8, 0.1).astype(np.float32)
    rng = np.random.default_rng(3)
    outlines = [spoil(rng, truth, neighbours, contrast) for _ in range(30)]
    ious = [float((one & truth).sum() / (one | truth).sum()) for one in outlines]
    if kind == "none":
        assert not any(one.any() for one in outlines)
    else:
        assert 0.2 < np.median(ious) < 0.97
        assert all((one & truth).any() for one in outlines)
    if kind == "neighbour":
        assert all((one & neighbours).sum() > 0.9 * neighbours.sum() for one in outlines)


def test_a_click_lies_on_what_is_wrong_and_says_which_way() -> None:
    rng = np.random.default_rng(5)
    truth = disc(48, 48, 25)
    ways = set()
    for _ in range(200):
        outline = spoil(rng, truth, np.zeros(SHAPE, np.bool_), truth.astype(np.float32))
        click = click_on(rng, outline, truth)
        if click is None:
            assert np.array_equal(outline, truth)
            continue
        (x, y), away = click
        assert (outline if away else truth)[int(y), int(x)]
        assert not (away and truth[int(y), int(x)])
        ways.add((away, bool(outline[int(y), int(x)])))
    assert ways == {(True, True), (False, False), (False, True)}


def test_a_blob_is_one_part_on_free_ground() -> None:
    free = ~disc(48, 48, 20)
    for seed in range(20):
        found = blob(np.random.default_rng(seed), free)
        assert found.any()
        assert not (found & ~free).any()
        assert ndimage.label(found)[1] == 1
    assert not blob(np.random.default_rng(0), np.zeros(SHAPE, np.bool_)).any()


def test_a_batch_depends_on_its_number_only(sets: Path) -> None:
    real = RealImages(pairs(sets))
    first, again = (ClickBatches(real, 0, 3)[1] for _ in range(2))
    other = ClickBatches(real, 0, 3)[2]
    assert first[0].shape == (clicks.WINDOWS, INPUTS, SIDE, SIDE)
    assert first[1].shape == (clicks.WINDOWS, 1, SIDE, SIDE)
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    outline, others, truth = first[0][:, VIEWS + 1], first[0][:, VIEWS + 2], first[1][:, 0]
    assert set(np.unique(first[0][:, VIEWS])) <= {-1.0, 0.0, 1.0}
    assert not (outline * others).any(), "no pixel has two outlines"
    assert not (truth * others).any()


def test_of_a_field_without_bodies_an_outline_is_to_be_taken_away() -> None:
    empty = np.zeros((512, 512), np.int32)
    image = np.random.default_rng(1).normal(0, 0.1, (512, 512)).astype(np.float32)
    made = window_of(np.random.default_rng(2), image, empty)
    assert made is not None
    given, truth = made
    assert given[VIEWS].min() == -1
    assert given[VIEWS + 1].any()
    assert not truth.any()


def test_the_network_begins_as_the_engine_and_learns(sets: Path, tmp_path: Path) -> None:
    plan = Plan(tmp_path, steps=3, workers=0, widths=WIDTHS)
    begun = fresh_engine(plan, Batches(None, 0, 2, crop=32))
    with torch.no_grad():
        begun.ema.stem.conv.weight[:, VIEWS:] = 0  # of the views that clicks do not have
    engine = export(plan, begun, {"seed": 0})
    batches = ClickBatches(RealImages(pairs(sets)), 0, 3)
    network = widened(engine, batches, WIDTHS).eval()
    given = torch.from_numpy(batches[0][0])
    assert torch.allclose(network(given)[:, 0], load(engine)(given[:, : VIEWS + 1])[:, 0], atol=1e-3)

    state = fresh(Plan(tmp_path, steps=3, workers=0, widths=WIDTHS, start=engine), batches)
    before = {name: value.clone() for name, value in state.model.named_parameters()}
    train(plan, batches, state, loss)
    assert state.step == 3
    after = dict(state.model.named_parameters())
    assert not torch.equal(before["stem.conv.weight"][:, VIEWS:], after["stem.conv.weight"][:, VIEWS:])
    shipped = load(export(plan, state, {"heads": clicks.HEADS}, "click"))
    assert shipped(given).shape == (clicks.WINDOWS, 1, SIDE, SIDE)
