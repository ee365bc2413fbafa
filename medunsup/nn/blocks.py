"""Convolution blocks for two and three dimensions."""

from math import gcd

from torch import Tensor, nn
from torch.nn import functional

CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}
GROUPS = 8
WIDEST = 8


def widths(channels: int, levels: int) -> list[int]:
    """Features at each level, full resolution first: doubled at each halving, up to eightfold."""
    return [channels * min(2**level, WIDEST) for level in range(levels + 1)]


def convolution(
    dims: int, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, bias: bool = True
) -> nn.Module:
    """Convolution that keeps the size (at stride 2 halves it), for (B, C, ...) of `dims` dimensions."""
    return CONVOLUTIONS[dims](inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=bias)


class ConvBlock(nn.Sequential):
    """Convolution, group normalisation, SiLU; `stride` 2 halves the size. No state depends on the batch."""

    def __init__(self, dims: int, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            convolution(dims, inputs, outputs, stride=stride, bias=False),  # the normalisation brings its own
            nn.GroupNorm(gcd(GROUPS, outputs), outputs),
            nn.SiLU(),
        )


def halving(dims: int, inputs: int, outputs: int) -> nn.Sequential:
    """Two convolution blocks, of which the first halves the size."""
    return nn.Sequential(ConvBlock(dims, inputs, outputs, stride=2), ConvBlock(dims, outputs, outputs))


class Upsample(nn.Module):
    """Double the size by repeating each value."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C, 2H, 2W), or the same in three dimensions."""
        return functional.interpolate(x, scale_factor=2, mode="nearest")
