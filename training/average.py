"""Average weights that one training kept: ``python -m training.average FILE ... --out DIR``.

Weights of one run differ by one to two hundredths of IoU on images of other labs, at random; their mean does
so less.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from core.segmentation.engines.unet_model import UNet
from core.segmentation.engines.weights import save
from training.train import WIDTHS


def average(files: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of each tensor; of counters, the last."""
    held = [load_file(file) for file in files]
    return {
        name: torch.stack([state[name] for state in held]).mean(0) if value.is_floating_point() else value
        for name, value in held[-1].items()
    }


def export(files: Sequence[Path], out: Path, about: dict[str, object]) -> Path:
    """Write the average, norms folded, as ``out``/unet.safetensors, and its pin beside it."""
    model = UNet(WIDTHS)
    model.load_state_dict(average(files))
    model.eval().fold()
    out.mkdir(parents=True, exist_ok=True)
    return save(out / "unet.safetensors", model, WIDTHS, about)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="training.average", description="Average kept weights.")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="kept-*.safetensors of trainings")
    parser.add_argument("--out", type=Path, required=True, help="unet.safetensors and unet.json")
    parser.add_argument("--hold-out", nargs="*", default=[], metavar="SET", help="sets that they never saw")
    given = parser.parse_args(arguments)
    names = [file.stem for file in given.files]
    print(export(given.files, given.out, {"average_of": names, "held_out": list(given.hold_out)}))


if __name__ == "__main__":
    main()
