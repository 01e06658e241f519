"""Read and write the network's weights: safetensors, and only a file whose SHA-256 is the pinned one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load as read_tensors
from safetensors.torch import save as tensor_bytes

from core.errors import SegmentationError
from core.segmentation.engines.unet_model import UNet

DIRECTORY = Path(__file__).resolve().parents[3] / "data" / "weights"
SHIPPED = DIRECTORY / "unet.safetensors"


def pin(file: Path = SHIPPED) -> dict[str, object]:
    """What the JSON beside a weights file says of it: ``sha256``, ``widths``, ``version`` and its making."""
    try:
        about = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SegmentationError(
            f"{file.stem}.json, which names the right weights, cannot be read."
        ) from error
    return dict(about)


def load(file: Path = SHIPPED) -> UNet:
    """The network with a file's weights, ready to predict, in float32.

    Raises:
        SegmentationError: no such file, no pin beside it, or other bytes than the pin names.
    """
    about = pin(file)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SegmentationError(f"The weights file {file.name} is missing. Install the app again.") from error
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise SegmentationError(
            f"The weights file {file.name} is not the one that this version was tested with. "
            "Install the app again."
        )
    widths = about["widths"]
    assert isinstance(widths, list)
    model = UNet(tuple(widths), norm=False)
    model.load_state_dict({name: tensor.float() for name, tensor in read_tensors(data).items()})
    model.eval().requires_grad_(False)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from torch's stubs
    return model


def save(file: Path, model: UNet, widths: tuple[int, ...], about: Mapping[str, object]) -> Path:
    """Write a folded network as float16, and its pin beside it."""
    tensors = {name: value.detach().half().contiguous() for name, value in model.state_dict().items()}
    data = tensor_bytes(tensors)
    digest = hashlib.sha256(data).hexdigest()
    facts = {
        "version": f"1+{digest[:8]}",
        "sha256": digest,
        "architecture": "unet",
        "widths": list(widths),
        **about,
    }
    file.write_bytes(data)
    file.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return file
