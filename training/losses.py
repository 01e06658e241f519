"""Losses: how far the network's answer is from the truth."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.targets import UNKNOWN


def loss(logits: Tensor, truth: Tensor) -> Tensor:
    """BCE and Dice of inside and core, BCE of border, squared error of depth; (B, 4, Y, X) each."""
    inside, border, depth, core = logits.unbind(1)
    bce = functional.binary_cross_entropy_with_logits
    total = overlap_loss(inside, truth[:, 0]) + 0.5 * bce(border, truth[:, 1])
    total = total + 2 * functional.mse_loss(torch.sigmoid(depth), truth[:, 2])
    known = truth[:, 3, 0, 0] != UNKNOWN
    if known.any():
        total = total + overlap_loss(core[known], truth[known, 3])
    return total


def overlap_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """BCE and Dice of one map, (B, Y, X)."""
    probability = torch.sigmoid(logits)
    meet = (probability * truth).sum((1, 2))
    # one pixel in a hundred added on both sides, so that an empty field's Dice is not all or nothing
    slack = 0.01 * logits[0].numel()
    dice = 1 - (2 * meet + slack) / (probability.sum((1, 2)) + truth.sum((1, 2)) + slack)
    return functional.binary_cross_entropy_with_logits(logits, truth) + dice.mean()
