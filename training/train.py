"""Train the network: ``python -m training.train --data DIR --out DIR``.

The same seed draws the same batches in the same order, also after ``--resume``. With ``--minutes`` the
learning rate falls with the time that has passed, so that a busy machine ends its schedule all the same, in
fewer steps.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from core.segmentation.engines.unet_model import VIEWS, UNet
from core.segmentation.engines.weights import save
from training.data import Batches, RealImages, training_pairs
from training.losses import loss
from training.start import with_batch_norms, with_inputs

WIDTHS = (16, 32, 64, 96, 128, 192)
RATE, FLOOR = 2e-3, 2e-5
WARM_UP = 100  # steps
EMA = 0.998
LOG_EVERY, SAVE_SECONDS = 100, 180
ENDLESS = 10**6  # steps, where the clock says when to stop


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train and from what: ``minutes`` of wall time, or else ``steps``.

    ``bf16``: the network's arithmetic in bfloat16, which processors and GPUs that have it do at about twice
    the speed; weights and losses stay in float32.

    ``stop`` ends a run at this step without ending the schedule, so that several can go on from there.

    ``rate``: the greatest learning rate. ``start``: weights as they are shipped to go on from; random ones
    where None. ``keep_minutes``: how often a copy of the averaged weights is kept beside the checkpoint.
    """

    out: Path
    steps: int = ENDLESS
    minutes: float | None = None
    seed: int = 0
    device: str = "cpu"
    workers: int = 1
    stop: int = ENDLESS
    widths: tuple[int, ...] = WIDTHS
    bf16: bool = False
    rate: float = RATE
    start: Path | None = None
    keep_minutes: float | None = None


@dataclass(slots=True)
class State:
    """What a checkpoint holds."""

    model: UNet
    ema: UNet
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0


def fresh(plan: Plan, batches: Batches | None = None) -> State:
    """Random weights from the plan's seed, or those that it starts from; ``batches`` are needed for these."""
    torch.manual_seed(plan.seed)
    if plan.start is None or batches is None:
        model = UNet(plan.widths)
    else:
        known = with_batch_norms(plan.start, (torch.from_numpy(batches[i][0]) for i in range(len(batches))))
        model = with_inputs(known, VIEWS)
    return first_state(plan, model)


def first_state(plan: Plan, model: UNet) -> State:
    """The state from which a network is trained: its average is itself, its optimiser knows nothing."""
    model.to(plan.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), plan.rate, weight_decay=1e-2)
    return State(model, copy.deepcopy(model), optimiser)


def train(
    plan: Plan, batches: Batches, state: State, criterion: Callable[[Tensor, Tensor], Tensor] = loss
) -> State:
    """Train until the plan's end; a checkpoint every few minutes and at the end.

    ``criterion``: the loss of logits and truth of a batch.
    """
    rest = Subset(batches, range(state.step, min(plan.steps, plan.stop, len(batches))))
    loader = DataLoader(
        rest,
        batch_size=None,
        num_workers=plan.workers,
        prefetch_factor=8 if plan.workers else None,
        worker_init_fn=_one_thread,
    )
    begun, saved, recent = time.monotonic() - state.seconds, time.monotonic(), []
    kept_at = saved
    state.model.train()
    for images, truth in loader:
        state.seconds = time.monotonic() - begun
        share = _share(plan, state)
        if share >= 1:
            break
        batch = images.to(plan.device), truth.to(plan.device)
        recent.append(_step(plan, state, batch, share, criterion))
        if state.step % LOG_EVERY == 0:
            print(
                f"step {state.step} loss {np.mean(recent):.4f} "
                f"rate {_rate(plan, state.step, share):.2e} s {state.seconds:.0f}",
                flush=True,
            )
            recent.clear()
        if time.monotonic() - saved > SAVE_SECONDS:
            checkpoint(plan.out, state)
            saved = time.monotonic()
        if plan.keep_minutes is not None and time.monotonic() - kept_at > 60 * plan.keep_minutes:
            keep(plan.out, state)
            kept_at = time.monotonic()
    checkpoint(plan.out, state)
    return state


def checkpoint(out: Path, state: State) -> None:
    """Write ``out``/checkpoint.pt; an interrupted write leaves the earlier one."""
    held = {
        "model": state.model.state_dict(),
        "ema": state.ema.state_dict(),
        "optimiser": state.optimiser.state_dict(),
    }
    part = out / "checkpoint.part"
    torch.save(held | {"step": state.step, "seconds": state.seconds}, part)
    part.replace(out / "checkpoint.pt")


def keep(out: Path, state: State) -> Path:
    """Write a copy of the averaged weights, to be averaged with others (``training.average``)."""
    file = out / f"kept-{time.strftime('%Y%m%d-%H%M')}-{state.step:06}.safetensors"
    save_file({name: value.cpu().contiguous() for name, value in state.ema.state_dict().items()}, file)
    return file


def resume(out: Path, state: State) -> State:
    """Fill ``state`` from ``out``/checkpoint.pt; only tensors and numbers are read from it."""
    held = torch.load(out / "checkpoint.pt", weights_only=True)
    state.model.load_state_dict(held["model"])
    state.ema.load_state_dict(held["ema"])
    state.optimiser.load_state_dict(held["optimiser"])
    state.step, state.seconds = held["step"], held["seconds"]
    return state


def export(plan: Plan, state: State, about: dict[str, object], name: str = "unet") -> Path:
    """Write the averaged weights, norms folded, as ``out``/NAME.safetensors, and its pin beside it."""
    shipped = copy.deepcopy(state.ema).eval().fold()
    return save(plan.out / f"{name}.safetensors", shipped.cpu(), plan.widths, {"steps": state.step, **about})


def _step(
    plan: Plan,
    state: State,
    batch: tuple[Tensor, Tensor],
    share: float,
    criterion: Callable[[Tensor, Tensor], Tensor],
) -> float:
    images, truth = batch
    for group in state.optimiser.param_groups:
        group["lr"] = _rate(plan, state.step, share)
    with torch.autocast(torch.device(plan.device).type, torch.bfloat16, enabled=plan.bf16):
        logits = state.model(images.contiguous(memory_format=torch.channels_last))
    value = criterion(logits.float(), truth)
    state.optimiser.zero_grad(set_to_none=True)
    value.backward()
    nn.utils.clip_grad_norm_(state.model.parameters(), 2.0)
    state.optimiser.step()
    state.step += 1
    _average(state)
    return float(value.detach())


@torch.no_grad()
def _average(state: State) -> None:
    """Move the averaged weights towards the present ones; faster at first, when the average is of noise."""
    keep = min(EMA, (1 + state.step) / (10 + state.step))
    for old, new in zip(state.ema.state_dict().values(), state.model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def _share(plan: Plan, state: State) -> float:
    """How much of the schedule has passed, 0..1."""
    if plan.minutes is not None:
        return max(state.step / plan.steps, state.seconds / (60 * plan.minutes))
    return state.step / plan.steps


def _rate(plan: Plan, step: int, share: float) -> float:
    cosine = FLOOR + (plan.rate - FLOOR) * (1 + np.cos(np.pi * min(1.0, share))) / 2
    return float(cosine * min(1.0, (step + 1) / WARM_UP))


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="training.train", description="Train the network's weights.")
    parser.add_argument("--drawn-until", type=int, default=0, metavar="STEP", help="no real images before it")
    add_plan(parser)
    given, plan = plan_of(parser, arguments)
    real = prepared(given, plan)
    batches = Batches(real, plan.seed, plan.steps, given.real_share, drawn_until=given.drawn_until)
    state = resume(plan.out, fresh(plan)) if given.resume else fresh(plan, batches)
    train(plan, batches, state)
    print(export(plan, state, {"seed": plan.seed, "held_out": list(given.hold_out)}))


def prepared(given: argparse.Namespace, plan: Plan) -> RealImages | None:
    """Make the folder of a training and read the real images it learns from; None where all are drawn.

    Computes with one thread from now on.
    """
    _one_thread(0)
    plan.out.mkdir(parents=True, exist_ok=True)
    chosen = training_pairs(given.data, given.hold_out)
    print(f"{len(chosen)} images of {sorted({pair.set_name for pair in chosen})}; {asdict(plan)}", flush=True)
    return RealImages(chosen) if chosen and given.real_share else None


def plan_of(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None
) -> tuple[argparse.Namespace, Plan]:
    """Arguments of a parser that ``add_plan`` was called with, and the plan that they hold."""
    given = parser.parse_args(arguments)
    if given.minutes is None and given.steps == ENDLESS:
        parser.error("say how long: --minutes or --steps")
    names = {item.name for item in fields(Plan)} - {"widths"}
    return given, Plan(**{name: value for name, value in vars(given).items() if name in names})


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Arguments that every training has: what to learn from, and what a ``Plan`` holds by its names."""
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/datasets"), help="SET/images and SET/masks below"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="checkpoint.pt, the weights and the JSON beside them"
    )
    parser.add_argument("--hold-out", nargs="*", default=[], metavar="SET", help="sets to leave out")
    parser.add_argument("--real-share", type=float, default=0.5, help="of samples; the others are drawn")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    _add_schedule(parser)


def _add_schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--minutes", type=float, help="wall time of the whole schedule, earlier runs counted in"
    )
    parser.add_argument("--steps", type=int, default=ENDLESS)
    parser.add_argument("--stop", type=int, default=ENDLESS, metavar="STEP", help="to go on with --resume")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw batches")
    parser.add_argument("--bf16", action="store_true", help="faster where the hardware has bfloat16")
    parser.add_argument("--rate", type=float, default=RATE, help="greatest learning rate")
    parser.add_argument("--start", type=Path, metavar="FILE", help="shipped weights to go on from")
    parser.add_argument(
        "--keep-minutes", type=float, metavar="N", help="how often the averaged weights are kept"
    )


if __name__ == "__main__":
    main()
