"""A residual U-Net of the size that SpheroSeg ships, for its running time alone: its weights are random.

64 to 1024 features and 2048 at the bottom, squeeze and excitation in every block, attention on the skips,
transposed convolutions on the way up: 132 million parameters, as there.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

FEATURES = (64, 128, 256, 512, 1024, 2048)


class Block(nn.Module):
    """Two 3x3 convolutions with group norms, squeeze and excitation, and a residual."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(32, outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.GroupNorm(32, outputs),
        )
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(outputs, outputs // 16, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs // 16, outputs, 1),
            nn.Sigmoid(),
        )
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        result: Tensor = torch.relu(body * self.gate(body) + self.skip(x))
        return result


class Attention(nn.Module):
    """Weighs a skip by what comes from below."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.below, self.beside = nn.Conv2d(width, width // 2, 1), nn.Conv2d(width, width // 2, 1)
        self.weigh = nn.Conv2d(width // 2, 1, 1)

    def forward(self, below: Tensor, beside: Tensor) -> Tensor:
        weights = torch.sigmoid(self.weigh(torch.relu(self.below(below) + self.beside(beside))))
        result: Tensor = beside * weights
        return result


class ResUNet(nn.Module):
    """(B, 3, Y, X) to logits (B, 1, Y, X); sides multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(Block(a, b) for a, b in pairwise((3, *FEATURES)))
        wide = FEATURES[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairwise(wide))
        self.attend = nn.ModuleList(Attention(width) for width in wide[1:])
        self.merge = nn.ModuleList(Block(2 * width, width) for width in wide[1:])
        self.head = nn.Conv2d(FEATURES[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for up, attend, merge in zip(self.up, self.attend, self.merge, strict=True):
            x = up(x)
            x = merge(torch.cat([x, attend(x, skips.pop())], dim=1))
        logits: Tensor = self.head(x)
        return logits
