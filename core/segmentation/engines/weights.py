"""Read and write the network's weights: safetensors, and only a file whose SHA-256 is the pinned one.

torch is imported by ``load`` and ``save`` only, so that a page may ask which weights there are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import SegmentationError
from core.segmentation.engines import unet

if TYPE_CHECKING:
    from core.segmentation.engines.unet_model import UNet

DIRECTORY = Path(__file__).resolve().parents[3] / "data" / "weights"
SHIPPED = DIRECTORY / "unet.safetensors"


def read_pin(file: Path = SHIPPED) -> dict[str, object]:
    """Read the JSON beside a weights file: ``sha256``, ``widths``, ``version`` and how it was made.

    Raises:
        SegmentationError: it cannot be read.
    """
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
        SegmentationError: no such file, no pin beside it, other bytes than the pin names, or no weights.
    """
    import torch  # noqa: PLC0415
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load as read_tensors  # noqa: PLC0415

    from core.segmentation.engines.unet_model import UNet  # noqa: PLC0415

    about = read_pin(file)
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
    model = UNet(tuple(widths), False, *_channels(about))
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in read_tensors(data).items()})
    except (SafetensorError, RuntimeError) as error:  # no weights at all, or those of another network
        raise SegmentationError(f"The weights file {file.name} cannot be read as weights.") from error
    model.eval().requires_grad_(False)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from torch's stubs
    return model


def _channels(about: Mapping[str, object]) -> tuple[int, int]:
    """Channels in and out: those of the engine where the pin does not name them."""
    from core.segmentation.engines.unet_model import HEADS, VIEWS  # noqa: PLC0415

    inputs, heads = about.get("inputs", VIEWS), about.get("heads", len(HEADS))
    assert isinstance(inputs, int)
    assert isinstance(heads, int)
    return inputs, heads


def save(file: Path, model: UNet, widths: tuple[int, ...], about: Mapping[str, object]) -> Path:
    """Write a folded network as float16, and its pin beside it."""
    from safetensors.torch import save as tensor_bytes  # noqa: PLC0415

    tensors = {name: value.detach().half().contiguous() for name, value in model.state_dict().items()}
    data = tensor_bytes(tensors)
    digest = hashlib.sha256(data).hexdigest()
    facts = {
        "version": unet.version_of(digest),
        "sha256": digest,
        "architecture": "unet",
        "widths": list(widths),
        "inputs": model.inputs,
        **about,
    }
    file.write_bytes(data)
    file.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return file
