"""A small U-Net whose full-resolution part is small, since there most of the time goes."""

import torch
from torch import Tensor, nn

from medunsup.nn.blocks import ConvBlock, Upsample, convolution, halving, widths


class UNet(nn.Module):
    """Encoder and decoder with skip connections (Ronneberger et al., MICCAI 2015), (B, C, ...) to the same.

    One convolution on the way at full resolution, two at each level below; the way up has one at each.
    """

    def __init__(self, dims: int, inputs: int, outputs: int, *, channels: int, levels: int) -> None:
        super().__init__()
        wide = widths(channels, levels)
        self.down = nn.ModuleList([ConvBlock(dims, inputs, wide[0])])
        self.up = nn.ModuleList()
        for n in range(levels):
            self.down.append(halving(dims, wide[n], wide[n + 1]))
            self.up.append(ConvBlock(dims, wide[n] + wide[n + 1], wide[n]))
        self.enlarge = Upsample()
        self.last = convolution(dims, wide[0], outputs, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return as many voxels as came in; sides must be divisible by 2^levels."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = skips.pop()
        for block in reversed(self.up):
            x = block(torch.cat([skips.pop(), self.enlarge(x)], dim=1))
        return self.last(x)
