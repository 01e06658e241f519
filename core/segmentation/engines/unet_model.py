"""The network: a small U-Net whose first convolution halves the image.

The stride of the stem is the biggest lever on speed: about 4 times for the same parameters. Outlines do not
lose by it, since the maps are brought back bilinearly. Plain 3x3 convolutions, because depthwise ones are
slower on CPUs than their arithmetic promises.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

HEADS = ("inside", "border", "depth", "core")
VIEWS = 3  # the image, its contrast to the background, and its optical density


class ConvBlock(nn.Module):
    """3x3 convolution, batch norm (while training), ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, norm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=not norm)
        self.norm: nn.Module = nn.BatchNorm2d(outputs) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, Y, X) to (B, outputs, Y / stride, X / stride)."""
        return functional.relu(self.norm(self.conv(x)), inplace=True)

    def fold(self) -> None:
        """Put the norm's running statistics into the convolution."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


class UNet(nn.Module):
    """Views of an image in (``contrast.views``), or further channels; logits of the ``HEADS``, or others.

    Skips are added, not concatenated: that halves a training step's time at the same widths.

    Args:
        widths: channels from the finest level, at half the input's size, to the coarsest.
        norm: with batch norms, as it is trained; without, as it is shipped, they are folded into the weights.
        inputs: channels of the input, of which the first are views.
        heads: channels of the output.
    """

    def __init__(
        self, widths: tuple[int, ...], norm: bool = True, inputs: int = VIEWS, heads: int = len(HEADS)
    ) -> None:
        super().__init__()
        self.stem = ConvBlock(inputs, widths[0], 2, norm)
        # one convolution at the finest level, where each costs as much as a coarser level; two elsewhere
        self.down = nn.ModuleList([ConvBlock(widths[0], widths[0], norm=norm)])
        for fine, coarse in pairwise(widths):
            self.down.append(
                nn.Sequential(ConvBlock(fine, coarse, norm=norm), ConvBlock(coarse, coarse, norm=norm))
            )
        self.lateral = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        self.up = nn.ModuleList(ConvBlock(width, width, norm=norm) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], heads, 1)

    @property
    def inputs(self) -> int:
        """Channels of an input."""
        return self.stem.conv.in_channels

    @property
    def multiple(self) -> int:
        """Height and width of an input must be multiples of this."""
        return int(2 ** len(self.down))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, Y, X) to logits (B, heads, Y, X)."""
        logits: Tensor = functional.interpolate(
            self.decode(self.encode(x)), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        return logits

    def encode(self, x: Tensor) -> list[Tensor]:
        """(B, inputs, Y, X) to features from the finest level to the coarsest."""
        x = self.stem(x)
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        return skips

    def decode(self, skips: list[Tensor]) -> Tensor:
        """Features of ``encode`` to logits (B, heads, Y / 2, X / 2)."""
        x = skips[-1]
        for level in range(len(self.up) - 1, -1, -1):
            wide = functional.interpolate(self.lateral[level](x), scale_factor=2.0, mode="nearest")
            x = self.up[level](skips[level] + wide)
        logits: Tensor = self.head(x)
        return logits

    def fold(self) -> UNet:
        """Fold every batch norm, in place; only after ``eval()``."""
        for module in self.modules():
            if isinstance(module, ConvBlock):
                module.fold()
        return self
