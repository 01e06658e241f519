"""Train the network that answers clicks: ``python -m training.clicks --data DIR --out DIR``.

It begins with the engine's weights; those of its three further inputs begin at zero. Real crops and drawn
scenes are those of ``training.train``; the outlines to be mended are made from the right ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from core.segmentation.engines.click_network import INPUTS, SIDE, VIEWS, Window, inputs, views_of
from core.segmentation.engines.contrast import optical_density
from core.segmentation.engines.unet_model import UNet
from core.segmentation.engines.weights import SHIPPED
from training.augment import vary
from training.data import FIELD, TEST_SETS, Batches, Floats, Labels
from training.losses import overlap_loss
from training.spoiled import blob, click_on, spoil
from training.start import with_batch_norms, with_inputs
from training.train import (
    Plan,
    State,
    add_plan,
    export,
    first_state,
    plan_of,
    prepared,
    resume,
    train,
)

WINDOWS, FIELDS = 8, 2  # in a batch, and of how many fields they are
LEAST_PX = 60  # pixels of a body in a field of FIELD that is worth a click
SHARE = (0.15, 0.8)  # of a window's side: how much of it a body takes
NOTHING = 0.06  # share of windows in which an outline around nothing is to be taken away
DROPPED = 0.3  # share of bodies beside it that have no outline
HEADS = 1


class ClickBatches(Batches):
    """Windows with an outline and a click: inputs (B, INPUTS, Y, X), and the right outlines (B, 1, Y, X)."""

    def __getitem__(self, step: int) -> tuple[Floats, Floats]:
        """Batch ``step``; the same for the same seed."""
        rng = np.random.default_rng((self.seed, step, INPUTS))
        made: list[tuple[Floats, Floats]] = []
        while len(made) < WINDOWS:
            sample = self.one(rng, FIELD, self.real_share)
            image = vary(rng, sample.image)
            wanted = min(-(-WINDOWS // FIELDS), WINDOWS - len(made))
            pairs = (window_of(rng, image, sample.labels) for _ in range(wanted))
            made += [pair for pair in pairs if pair is not None]
        images, truths = zip(*made, strict=True)
        return np.stack(images), np.stack(truths)


def window_of(rng: np.random.Generator, image: Floats, labels: Labels) -> tuple[Floats, Floats] | None:
    """A window around one body of a field (Y, X), an outline to be mended in it, and the right one.

    None where the field has no body and no free ground, or the outline happens to be right.
    """
    areas = np.bincount(labels.ravel())
    numbers = np.flatnonzero(areas[1:] >= LEAST_PX) + 1
    number = int(rng.choice(numbers)) if len(numbers) and rng.random() >= NOTHING else 0
    window = _window(rng, labels, number)
    shape = (image.shape[0], image.shape[1])
    shown = _labels(window, labels)
    truth = np.asarray(shown == number) if number else np.zeros(shown.shape, np.bool_)
    beside = np.asarray((shown > 0) & ~truth)
    if number and not truth.any():
        return None
    seen = views_of(window.view(image[window.box(shape)], shape))
    outline = spoil(rng, truth, beside, seen[1]) if number else blob(rng, ~beside)
    click = click_on(rng, outline, truth)
    if click is None:
        return None
    dropped = rng.random(len(areas)) < DROPPED
    others = beside & ~dropped[shown] & ~outline
    given = inputs(seen, outline.astype(np.float32), others.astype(np.float32), *click)
    return given, truth[None].astype(np.float32)


def _window(rng: np.random.Generator, labels: Labels, number: int) -> Window:
    """A window in which a body takes a random share, not quite in the middle; of no body anywhere."""
    shape = (labels.shape[0], labels.shape[1])
    if not number:
        centre = (rng.uniform(0, shape[1]), rng.uniform(0, shape[0]))
        return Window.around(centre, rng.uniform(SIDE / 2, FIELD), shape)
    rows, columns = np.nonzero(labels == number)
    across = max(np.ptp(rows), np.ptp(columns)) + 1
    side = across / rng.uniform(*SHARE)
    off = rng.normal(0, 0.12 * side, 2)
    return Window.around((columns.mean() + off[0], rows.mean() + off[1]), side, shape)


def _labels(window: Window, labels: Labels) -> Labels:
    """The window of a label image, int32 (SIDE, SIDE)."""
    part = labels[window.box(labels.shape)].astype(np.float32)
    shown = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST_EXACT)
    return shown.astype(np.int32)


def widened(file: Path, batches: ClickBatches, widths: tuple[int, ...]) -> UNet:
    """The engine's network with inputs and output of clicks: at first it answers what the engine does.

    Of the engine's views it has the first two.
    """
    engine = with_inputs(with_batch_norms(file, map(_engine_views, islice(batches, len(batches)))), VIEWS)
    network = UNet(widths, inputs=INPUTS, heads=HEADS)
    state = with_inputs(engine, INPUTS).state_dict()
    head = {"head.weight": state["head.weight"][:1], "head.bias": state["head.bias"][:1]}
    network.load_state_dict(state | head)
    return network


def _engine_views(batch: tuple[Floats, Floats]) -> Tensor:
    seen = batch[0][:, :VIEWS]
    return torch.from_numpy(np.concatenate([seen, optical_density(seen[:, :1])], axis=1))


def loss(logits: Tensor, truth: Tensor) -> Tensor:
    """BCE and Dice of the outline; (B, 1, Y, X) each."""
    return overlap_loss(logits[:, 0], truth[:, 0])


def fresh(plan: Plan, batches: ClickBatches) -> State:
    """The engine's weights, widened."""
    torch.manual_seed(plan.seed)
    return first_state(plan, widened(plan.start or SHIPPED, batches, plan.widths))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="training.clicks", description="Train what answers clicks.")
    add_plan(parser)
    given, plan = plan_of(parser, arguments)
    batches = ClickBatches(prepared(given, plan), plan.seed, plan.steps, given.real_share)
    state = fresh(plan, batches)
    if given.resume:
        state = resume(plan.out, state)
    train(plan, batches, state, loss)
    about = {
        "seed": plan.seed,
        "held_out": sorted({*given.hold_out, *TEST_SETS}),
        "heads": HEADS,
    }
    print(export(plan, state, about, "click"))


if __name__ == "__main__":
    main()
