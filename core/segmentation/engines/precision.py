"""Whether bfloat16 is worth it on this processor: measured, not guessed from its name."""

from __future__ import annotations

import copy
import time

import torch

from core.segmentation.engines.unet_model import VIEWS, UNet

SIDE_PX = 256
ROUNDS = 3
MIN_SPEEDUP = 1.3  # times faster; below it, exact arithmetic is worth more
MAX_DIFFERENCE = 0.05  # of any pixel's probability


def halved(network: UNet) -> UNet:
    """A copy of the network whose weights and arithmetic are bfloat16."""
    return copy.deepcopy(network).to(torch.bfloat16)


def halving_pays(network: UNet) -> bool:
    """Whether bfloat16 is clearly faster here and says the same of a sample image."""
    half = halved(network)
    ramp = torch.linspace(-1, 1, SIDE_PX)
    disc = (ramp[:, None] ** 2 + ramp**2 < 0.3).float()  # a body on an empty field: both answers occur
    sample = torch.stack([0.5 - disc, disc])[None, :VIEWS].contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        exact = torch.sigmoid(network(sample))[:, 0]
        rough = torch.sigmoid(half(sample.bfloat16()).float())[:, 0]
        if float((exact - rough).abs().max()) > MAX_DIFFERENCE:
            return False
        slow = min(_seconds(network, sample) for _ in range(ROUNDS))
        fast = min(_seconds(half, sample.bfloat16()) for _ in range(ROUNDS))
    return slow > MIN_SPEEDUP * fast


def _seconds(network: UNet, sample: torch.Tensor) -> float:
    start = time.perf_counter()
    network(sample)
    return time.perf_counter() - start
