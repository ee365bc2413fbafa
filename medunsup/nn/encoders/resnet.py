"""Residual network with group normalisation."""

from itertools import pairwise
from math import gcd
from typing import Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from medunsup.core.registry import register
from medunsup.nn.blocks import GROUPS, convolution
from medunsup.nn.encoder import Encoder, EncoderConfig

BLOCKS = {10: (1, 1, 1, 1), 18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}  # He et al., table 1; 10 as in MedicalNet
POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}


class ResNetConfig(EncoderConfig):
    """Parameters of the residual network."""

    depth: Literal[10, 18, 34] = Field(18, description="layers with weights, as in the name ResNet-18")
    channels: int = Field(64, ge=1, le=512, description="features of the first stage; doubled at each later")


class ResidualBlock(nn.Module):
    """Two convolutions, and a shortcut that is one of size 1 where the shape changes."""

    def __init__(self, dims: int, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.first = convolution(dims, inputs, outputs, stride=stride, bias=False)
        self.first_norm = _norm(outputs)
        self.second = convolution(dims, outputs, outputs, bias=False)
        self.second_norm = _norm(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            same_place = convolution(dims, inputs, outputs, kernel=1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(same_place, _norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, ...) to (B, outputs, ...), sides divided by the stride."""
        changed = self.second_norm(self.second(functional.relu(self.first_norm(self.first(x)))))
        return functional.relu(changed + self.shortcut(x))


@register(
    "resnet",
    family="convolutional",
    dims=(2, 3),
    paper="He et al., Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385; "
    "Wu & He, Group normalization, ECCV 2018, arXiv:1803.08494",
    limit="Its finest map has half the images' resolution: small structures are gone before the first block.",
)
class ResNet(Encoder):
    """ResNet of basic blocks, with group instead of batch normalisation.

    Not MONAI's `ResNet`, which keeps batch normalisation in its blocks whatever norm it is given.

    Parameters
    ----------
    config : ResNetConfig, optional
        Parameters of the network, listed by `help(ResNet.Config)`; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import make_encoder
    >>> encoder = make_encoder("resnet", {"depth": 10, "channels": 8}, dims=2, channels=1)
    >>> encoder.features(torch.zeros(5, 1, 64, 64)).shape
    torch.Size([5, 64])
    """

    Config = ResNetConfig
    stem = "stem_block."

    def __init__(self, config: ResNetConfig | None = None, *, dims: int, channels: int) -> None:
        super().__init__(config, dims=dims, channels=channels)
        stages = [self.config.channels * 2**n for n in range(4)]
        self.widths, self.strides = (stages[0], *stages), (2, 4, 8, 16, 32)
        first = convolution(dims, channels, stages[0], kernel=7, stride=2, bias=False)
        self.stem_block = nn.Sequential(first, _norm(stages[0]), nn.ReLU())
        self.pool = POOL[dims](3, stride=2, padding=1)
        self.stages = nn.ModuleList(
            _stage(dims, inputs, outputs, blocks, stride=1 if n == 0 else 2)
            for n, ((inputs, outputs), blocks) in enumerate(
                zip(pairwise(self.widths), BLOCKS[self.config.depth], strict=True)
            )
        )

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the map of the first convolution, then one a stage."""
        found = [self.stem_block(x)]
        x = self.pool(found[0])
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


def _stage(dims: int, inputs: int, outputs: int, blocks: int, *, stride: int) -> nn.Sequential:
    first = ResidualBlock(dims, inputs, outputs, stride=stride)
    return nn.Sequential(first, *(ResidualBlock(dims, outputs, outputs, stride=1) for _ in range(blocks - 1)))


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(gcd(GROUPS, channels), channels)
