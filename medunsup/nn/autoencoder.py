"""Encoder to a vector and decoder from one, the two halves of every model with a dense bottleneck."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from medunsup.nn.blocks import ConvBlock, Upsample, convolution, widths

NARROW = 16


class Encoder(nn.Sequential):
    """Map (B, C, ...) to (B, outputs): convolutions that halve the size, then one dense layer.

    `shape` is (C, H, W) or (C, I, J, K), its sides divisible by 2^levels. A 1x1 convolution to 16 features
    keeps the dense layer small (Baur et al., Medical Image Analysis 2021).
    """

    def __init__(self, shape: Sequence[int], *, channels: int, levels: int, outputs: int) -> None:
        dims, wide = len(shape) - 1, widths(channels, levels)
        downs = [ConvBlock(dims, wide[n], wide[n + 1], stride=2) for n in range(levels)]
        super().__init__(
            ConvBlock(dims, shape[0], wide[0]),
            *downs,
            convolution(dims, wide[-1], NARROW, kernel=1),
            nn.Flatten(),
            nn.Linear(prod(_narrow(shape, levels)), outputs),
        )


class Decoder(nn.Module):
    """Map (B, inputs) to (B, C, ...): the encoder's way back, without skips."""

    def __init__(self, shape: Sequence[int], *, channels: int, levels: int, inputs: int) -> None:
        super().__init__()
        dims, wide = len(shape) - 1, widths(channels, levels)
        self.start = _narrow(shape, levels)
        self.dense = nn.Linear(inputs, prod(self.start))
        layers: list[nn.Module] = [convolution(dims, NARROW, wide[-1], kernel=1)]
        for n in reversed(range(levels)):
            layers += [Upsample(), ConvBlock(dims, wide[n + 1], wide[n])]
        self.layers = nn.Sequential(*layers, convolution(dims, wide[0], shape[0]))

    def forward(self, z: Tensor) -> Tensor:
        """Decode latent vectors (B, inputs)."""
        return self.layers(self.dense(z).view(-1, *self.start))


def _narrow(shape: Sequence[int], levels: int) -> tuple[int, ...]:
    return (NARROW, *(side // 2**levels for side in shape[1:]))
