"""Begin a training from weights as they are shipped: their batch norms, folded away, are put back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from core.segmentation.engines.unet_model import ConvBlock, UNet
from core.segmentation.engines.weights import load, read_pin

BATCHES = 12  # from which means and variances are taken


@torch.no_grad()
def with_batch_norms(file: Path, images: Iterable[Tensor]) -> UNet:
    """A network with batch norms that predicts what the folded weights of ``file`` predict.

    Args:
        images: batches of views (B, 3, Y, X); a norm's mean and variance are those of what its convolution
            gives on the first BATCHES of them.
    """
    widths = read_pin(file)["widths"]
    assert isinstance(widths, list)
    folded = load(file)
    model = UNet(tuple(widths), inputs=folded.inputs)
    own = model.state_dict()
    plain = {name: value for name, value in folded.state_dict().items() if name in own}
    model.load_state_dict(plain, strict=False)
    blocks = {name: block for name, block in folded.named_modules() if isinstance(block, ConvBlock)}
    moments = _moments(blocks, folded, images)
    for name, block in model.named_modules():
        if isinstance(block, ConvBlock):
            mean, variance = moments[name]
            bias = blocks[name].conv.bias
            assert isinstance(block.norm, torch.nn.BatchNorm2d)
            assert bias is not None
            assert block.norm.running_mean is not None
            assert block.norm.running_var is not None
            block.norm.running_mean.copy_(mean - bias)
            block.norm.running_var.copy_(variance)
            block.norm.weight.copy_(torch.sqrt(variance + block.norm.eps))
            block.norm.bias.copy_(mean)
    return model


@torch.no_grad()
def with_inputs(network: UNet, inputs: int) -> UNet:
    """Return a network that takes so many channels and, of those it knows, answers as before.

    It has batch norms. Further channels count nothing at first; those beyond ``inputs`` are lost.
    """
    old = network.stem.conv
    stem = torch.nn.Conv2d(inputs, old.out_channels, 3, 2, padding=1, bias=False)
    shared = min(inputs, network.inputs)
    stem.weight.zero_()
    stem.weight[:, :shared] = old.weight[:, :shared]
    network.stem.conv = stem
    return network


def _moments(
    blocks: dict[str, ConvBlock], network: UNet, images: Iterable[Tensor]
) -> dict[str, tuple[Tensor, Tensor]]:
    """Mean and variance of each channel of each block's convolution."""
    totals: dict[str, list[Tensor]] = {name: [] for name in blocks}

    def note(name: str) -> None:
        def hook(_module: object, _inputs: object, output: Tensor) -> None:
            totals[name].append(torch.stack([output.mean((0, 2, 3)), output.square().mean((0, 2, 3))]))

        blocks[name].conv.register_forward_hook(hook)

    for name in blocks:
        note(name)
    for batch in islice(images, BATCHES):
        network(batch[:, : network.inputs].contiguous(memory_format=torch.channels_last))
    return {
        name: (mean, (squares - mean.square()).clamp_min(1e-6))
        for name, (mean, squares) in ((name, torch.stack(rows).mean(0)) for name, rows in totals.items())
    }
