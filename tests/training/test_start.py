"""Weights can be gone on from, kept along the way, and averaged."""

from dataclasses import replace
from pathlib import Path

import torch

from core.segmentation.engines.unet_model import VIEWS, UNet
from core.segmentation.engines.weights import load
from training import average
from training.data import Batches
from training.train import Plan, export, first_state, fresh, keep

WIDTHS = (4, 8)


def test_a_training_goes_on_from_shipped_weights(tmp_path: Path) -> None:
    plan = Plan(tmp_path, steps=2, workers=0, widths=WIDTHS)
    with torch.no_grad():
        before = fresh(plan)
        before.ema.eval()
        for block in before.ema.modules():
            if isinstance(block, torch.nn.BatchNorm2d):
                block.running_mean.normal_()
                block.running_var.uniform_(0.5, 2)
    shipped = export(plan, before, {"seed": 0})
    again = fresh(replace(plan, start=shipped), Batches(None, 0, 2, crop=32))
    x = torch.rand(1, VIEWS, 32, 32)
    assert torch.allclose(load(shipped)(x), again.model.eval()(x), atol=1e-4)
    assert torch.allclose(again.model(x), again.ema.eval()(x))


def test_weights_of_two_views_answer_as_before_with_a_third(tmp_path: Path) -> None:
    torch.manual_seed(0)
    two = export(Plan(tmp_path, widths=WIDTHS), first_state(Plan(tmp_path), UNet(WIDTHS, inputs=2)), {})
    again = fresh(Plan(tmp_path, widths=WIDTHS, start=two), Batches(None, 0, 2, crop=32))
    x = torch.rand(1, VIEWS, 32, 32)
    assert torch.allclose(load(two)(x[:, :2]), again.model.eval()(x), atol=1e-3)


def test_kept_weights_are_averaged(tmp_path: Path) -> None:
    plan = Plan(tmp_path, steps=1, workers=0)
    first, second = fresh(plan), fresh(replace(plan, seed=1))
    files = []
    for step, state in enumerate((first, second)):
        state.step = step
        files.append(keep(tmp_path, state))
    mean = average.average(files)
    for name, value in first.ema.named_parameters():
        assert torch.allclose(mean[name], (value + dict(second.ema.named_parameters())[name]) / 2, atol=1e-6)
    written = average.export(files, tmp_path / "mean", {"held_out": []})
    assert torch.isfinite(load(written)(torch.rand(1, VIEWS, 64, 64))).all()
