"""The way to the weights: batches that repeat, steps that learn, runs that go on, scores that are right."""

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import training.train
from core.segmentation.weights import load
from core.synthetic import BodySpec, SceneSpec, scene
from training import evaluate, scenes
from training.data import Batches, RealImages, pairs, read_grey
from training.scores import score, summary
from training.targets import targets
from training.train import Plan, checkpoint, export, fresh, resume, train

WIDTHS = (4, 8)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """More threads than free cores make these small steps a hundred times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of two small images with masks, and one without masks."""
    root = tmp_path_factory.mktemp("sets")
    for number, name in enumerate(("first", "second")):
        for i in range(2):
            body = BodySpec((60.0, 50.0), 40.0)
            made = scene(np.random.default_rng((number, i)), SceneSpec((body,), (100, 120), bits=8))
            _write(root / name / "images" / f"{i}.png", made.pixels)
            _write(root / name / "masks" / f"{i}.png", made.labels.astype(np.uint8))
    _write(root / "unlabelled" / "images" / "0.png", np.zeros((20, 20), np.uint8))
    return root


def _write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def batches(sets: Path, steps: int) -> Batches:
    return Batches(RealImages(pairs(sets)), 0, steps, crop=32)


def test_sets_are_found_and_can_be_left_out(sets: Path) -> None:
    assert [pair.set_name for pair in pairs(sets)] == ["first", "first", "second", "second"]
    assert {pair.set_name for pair in pairs(sets, ["first"])} == {"second"}


def test_a_stack_is_read_as_its_brightest(tmp_path: Path) -> None:
    pages = [np.full((20, 30), level, np.uint8) for level in (3, 9, 5)]
    assert cv2.imwritemulti(str(tmp_path / "stack.tif"), pages)
    assert (read_grey(tmp_path / "stack.tif") == 9).all()


def test_a_batch_depends_on_its_number_only(sets: Path) -> None:
    made = batches(sets, 5)
    first, again, other = made[1], batches(sets, 5)[1], made[2]
    assert first[0].shape == (8, 1, 32, 32)
    assert first[1].shape == (8, 3, 32, 32)
    assert made[3][0].shape == (2, 1, 64, 64)
    assert first[0].dtype == first[1].dtype == np.float32
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_scenes_range_from_empty_to_full() -> None:
    drawn = [scenes.draw(np.random.default_rng(seed), 64) for seed in range(40)]
    cover = [float((labels > 0).mean()) for _, labels in drawn]
    assert all(np.isfinite(pixels).all() for pixels, _ in drawn)
    assert min(cover) == 0
    assert max(cover) > 0.5
    assert max(int(labels.max()) for _, labels in drawn) > 20


def test_targets_say_where_bodies_meet() -> None:
    labels = np.zeros((40, 60), np.int32)
    labels[10:30, 10:30], labels[10:30, 30:50] = 1, 2
    inside, border, depth = targets(labels)
    assert np.array_equal(inside > 0, labels > 0)
    assert border[20, 29] == border[20, 30] == border[20, 10] == 1
    assert border[20, 20] == border[2, 2] == 0
    assert depth[labels == 0].max() == 0
    assert depth[20, 20] > 0.85
    assert depth[20, 29] == depth[20, 30] == 0
    assert not targets(np.zeros((8, 8), np.int32)).any()


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(sets: Path, tmp_path: Path) -> None:
    plan = Plan(tmp_path, steps=4, workers=0, widths=WIDTHS)
    straight = train(plan, batches(sets, 4), fresh(plan))
    train(plan, batches(sets, 2), fresh(plan))
    halfway = resume(tmp_path, fresh(plan))
    assert halfway.step == 2
    resumed = train(plan, batches(sets, 4), halfway)
    assert resumed.step == straight.step == 4
    for one, other in zip(straight.ema.parameters(), resumed.ema.parameters(), strict=True):
        assert torch.isfinite(one).all()
        assert torch.allclose(one, other, atol=1e-5)


class SameBatch(Batches):
    """The first batch over and over, which any network can learn."""

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        return super().__getitem__(0)


def test_training_lowers_the_loss(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.train, "LOG_EVERY", 15)
    monkeypatch.setattr(training.train, "WARM_UP", 1)
    plan = Plan(tmp_path, steps=30, workers=0, widths=WIDTHS)
    train(plan, SameBatch(RealImages(pairs(sets)), 0, 30, 1.0, crop=32), fresh(plan))
    losses = [float(line.split()[3]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 2
    assert losses[1] < losses[0]


def test_what_is_exported_predicts_as_what_was_trained(tmp_path: Path) -> None:
    plan = Plan(tmp_path, steps=1, workers=0, widths=WIDTHS)
    state = fresh(plan)
    checkpoint(tmp_path, state)
    x = torch.rand(1, 1, 16, 16)
    shipped = load(export(plan, state, {"seed": 0}))
    assert torch.allclose(shipped(x), state.ema.eval()(x), atol=0.01)


def test_true_masks_score_full_marks(sets: Path) -> None:
    masks = {pair.read()[0].tobytes(): pair.read()[1] for pair in pairs(sets)}
    rows = evaluate.evaluate(pairs(sets), lambda grey: masks[grey.tobytes()])
    assert [row["set"] for row in rows] == ["first", "second"]
    for row in rows:
        assert row["n"] == 2
        assert row["iou_mean"] == row["iou_median"] == row["f1"] == 1
        assert row["diameter_error_pct"] == row["boundary_px"] == row["share_below_0_7"] == 0


def test_scores_of_a_shifted_square() -> None:
    true, moved = np.zeros((50, 50), np.int32), np.zeros((50, 50), np.int32)
    true[10:30, 10:30] = 1
    moved[10:30, 12:32] = 5
    one = score(moved, true)
    assert one.iou == pytest.approx(18 / 22)
    assert (one.matched, one.predicted, one.true) == (1, 1, 1)
    assert one.diameter_errors == (0,)
    assert 0.5 < one.boundary_px < 2


def test_an_empty_field_is_right_only_when_nothing_is_found() -> None:
    nothing, something = np.zeros((20, 20), np.int32), np.zeros((20, 20), np.int32)
    something[5:9, 5:9] = 1
    assert score(nothing, nothing).iou == 1
    assert score(something, nothing).iou == 0
    row = summary("empty", [score(nothing, nothing)])
    assert (row["f1"], row["diameter_error_pct"], row["boundary_px"]) == (1.0, None, None)


def test_evaluate_writes_a_row_a_set(sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate.main(["--data", str(sets), "--engine", "classical", "--json", str(tmp_path / "rows.json")])
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [list(row) for row in rows] == [list(evaluate.COLUMNS)] * 2
    assert "first" in capsys.readouterr().out
