"""The way to the weights: batches that repeat, steps that learn, runs that go on, scores that are right."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import training.train
from core.segmentation.engines.unet_model import VIEWS
from core.segmentation.engines.weights import load
from tests.training.conftest import write
from training import evaluate
from training.data import TEST_SETS, Batches, RealImages, pairs, read_grey, training_pairs
from training.losses import loss
from training.scores import overlaps, score, summary
from training.targets import UNKNOWN, targets
from training.train import Plan, checkpoint, export, fresh, resume, train

WIDTHS = (4, 8)


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
    assert first[0].shape == (2, VIEWS, 64, 64)
    assert first[1].shape == (2, 4, 64, 64)
    assert other[0].shape == (8, VIEWS, 32, 32)
    assert first[0].dtype == first[1].dtype == np.float32
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], made[3][0])


def test_test_images_are_never_trained_on(tmp_path: Path) -> None:
    for name in (*TEST_SETS, "another"):
        write(tmp_path / name / "images" / "0.png", np.zeros((40, 40), np.uint8))
        write(tmp_path / name / "masks" / "0.png", np.ones((40, 40), np.uint8))
    assert {pair.set_name for pair in pairs(tmp_path)} == {*TEST_SETS, "another"}
    assert {pair.set_name for pair in training_pairs(tmp_path)} == {"another"}
    with pytest.raises(ValueError, match="never to train on"):
        RealImages(pairs(tmp_path))


def test_views_are_made_with_the_polarity_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    polarities = []

    def views(image: np.ndarray, polarity: str) -> np.ndarray:
        polarities.append(polarity)
        return np.stack([image, image])

    monkeypatch.setattr("training.data.views", views)
    made = Batches(None, 3, 20, crop=32)
    for step in range(0, 20, 2):
        made[step]
    assert polarities.count("auto") <= 0.15 * len(polarities)
    assert polarities.count("dark") > polarities.count("bright") > 0


def test_targets_say_where_bodies_meet() -> None:
    labels = np.zeros((40, 60), np.int32)
    labels[10:30, 10:30], labels[10:30, 30:50] = 1, 2
    inside, border, depth, core = targets(labels, labels == 1)
    assert np.array_equal(core > 0, labels == 1)
    assert np.array_equal(inside > 0, labels > 0)
    assert border[20, 29] == border[20, 30] == border[20, 10] == 1
    assert border[20, 20] == border[2, 2] == 0
    assert depth[labels == 0].max() == 0
    assert depth[20, 20] > 0.85
    assert depth[20, 29] == depth[20, 30] == 0
    nothing = np.zeros((8, 8), np.int32)
    assert not targets(nothing, nothing > 0).any()
    assert (targets(nothing, None)[3] == UNKNOWN).all()


def test_a_loss_asks_nothing_where_a_target_says_nothing() -> None:
    truth = torch.zeros(2, 4, 8, 8)
    truth[1, 3] = UNKNOWN
    logits = torch.zeros(2, 4, 8, 8, requires_grad=True)
    loss(logits, truth).backward()
    assert logits.grad is not None
    assert (logits.grad[1, 3] == 0).all()
    assert (logits.grad[0, 3] != 0).all()
    assert (logits.grad[:, :2] != 0).all()


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(sets: Path, tmp_path: Path) -> None:
    plan = Plan(tmp_path, steps=4, workers=0, widths=WIDTHS)
    straight = train(plan, batches(sets, 4), fresh(plan))
    train(replace(plan, stop=2), batches(sets, 4), fresh(plan))
    halfway = resume(tmp_path, fresh(plan))
    assert halfway.step == 2
    resumed = train(plan, batches(sets, 4), halfway)
    assert resumed.step == straight.step == 4
    for one, other in zip(straight.ema.parameters(), resumed.ema.parameters(), strict=True):
        assert torch.isfinite(one).all()
        assert torch.allclose(one, other, atol=1e-5)


def test_trainings_on_other_sets_can_share_their_beginning(sets: Path) -> None:
    alone = Batches(None, 0, 5, crop=32)
    both = Batches(RealImages(pairs(sets)), 0, 5, 1.0, crop=32, drawn_until=2)
    assert np.array_equal(alone[1][0], both[1][0])
    assert not np.array_equal(alone[2][0], both[2][0])


def test_of_a_mask_of_foreground_only_the_body_is_learnt(tmp_path: Path) -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[10:40, 10:40] = 1
    mask[::6, 50] = 1
    write(tmp_path / "loose" / "masks" / "0.png", mask)
    write(tmp_path / "loose" / "images" / "0.png", mask * 200)
    (levels,) = RealImages(pairs(tmp_path)).levels
    for level in levels:
        assert not level.is_dense
        assert cv2.connectedComponents((level.labels > 0).astype(np.uint8))[0] == 2
    assert RealImages(pairs(tmp_path)).crop(np.random.default_rng(0), 32).core is None


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


def test_exported_weights_predict_like_the_trained_network(tmp_path: Path) -> None:
    plan = Plan(tmp_path, steps=1, workers=0, widths=WIDTHS)
    state = fresh(plan)
    checkpoint(tmp_path, state)
    x = torch.rand(1, VIEWS, 16, 16)
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


def test_each_set_is_scored_by_the_weights_that_never_saw_it(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("first", "second"):
        plan = Plan(tmp_path / name, steps=1, workers=0, widths=WIDTHS)
        plan.out.mkdir()
        export(plan, fresh(plan), {"seed": 0, "held_out": [name]})
    other = Plan(tmp_path / "all", steps=1, workers=0, widths=WIDTHS)
    other.out.mkdir()
    export(other, fresh(other), {"seed": 0, "held_out": []})
    pair = Plan(tmp_path / "pair", steps=1, workers=0, widths=WIDTHS)
    pair.out.mkdir()
    export(pair, fresh(pair), {"seed": 0, "held_out": ["third", "fourth", *TEST_SETS]})
    assert {name: file.parent.name for name, file in evaluate.held_out(tmp_path).items()} == {
        "first": "first",
        "second": "second",
        "third": "pair",
        "fourth": "pair",
    }
    evaluate.main(["--data", str(sets), "--held-out", str(tmp_path)])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["set", "first", "second"]
    with pytest.raises(FileNotFoundError, match="without a set"):
        evaluate.held_out(tmp_path / "all")


def test_overlaps_are_of_each_object_that_was_found() -> None:
    true, predicted = np.zeros((40, 40), np.int32), np.zeros((40, 40), np.int32)
    true[0:10, 0:10], true[20:30, 20:30] = 1, 2
    predicted[0:10, 0:5], predicted[20:30, 20:30], predicted[35:38, 0:4] = 1, 2, 3
    assert overlaps(predicted, true) == [0.5, 1.0, 0.0]
    assert overlaps(np.zeros((4, 4), np.int32), true[:4, :4]) == []


def test_evaluate_writes_a_row_a_set(sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate.main(["--data", str(sets), "--engine", "classical", "--json", str(tmp_path / "rows.json")])
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [list(row) for row in rows] == [list(evaluate.COLUMNS)] * 2
    assert "first" in capsys.readouterr().out
