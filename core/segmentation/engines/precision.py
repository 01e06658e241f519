"""Measure whether bfloat16 is faster than float32 on this processor, and accurate enough."""

from __future__ import annotations

import copy
import time

import torch

from core.segmentation.engines.unet_model import UNet

SIDE_PX = 256
ROUNDS = 3
MIN_SPEEDUP = 1.3  # times faster; below it, exact arithmetic is worth more
MAX_PROBABILITY_DIFFERENCE = 0.05  # of any pixel's probability


def to_bfloat16(network: UNet) -> UNet:
    """Return a copy of the network with weights and arithmetic in bfloat16."""
    return copy.deepcopy(network).to(torch.bfloat16)


def bfloat16_pays(network: UNet) -> bool:
    """Whether bfloat16 is MIN_SPEEDUP times faster here, with the same prediction for a sample image."""
    bfloat16_network = to_bfloat16(network)
    ramp = torch.linspace(-1, 1, SIDE_PX)
    disc = (ramp[:, None] ** 2 + ramp**2 < 0.3).float()  # a body on an empty field: both answers occur
    sample = torch.stack([0.5 - disc, disc, disc])[None, : network.inputs].contiguous(
        memory_format=torch.channels_last
    )
    with torch.inference_mode():
        exact = torch.sigmoid(network(sample))[:, 0]
        approximate = torch.sigmoid(bfloat16_network(sample.bfloat16()).float())[:, 0]
        if float((exact - approximate).abs().max()) > MAX_PROBABILITY_DIFFERENCE:
            return False
        exact_seconds = min(_seconds(network, sample) for _ in range(ROUNDS))
        bfloat16_seconds = min(_seconds(bfloat16_network, sample.bfloat16()) for _ in range(ROUNDS))
    return exact_seconds > MIN_SPEEDUP * bfloat16_seconds


def _seconds(network: UNet, sample: torch.Tensor) -> float:
    start = time.perf_counter()
    network(sample)
    return time.perf_counter() - start
