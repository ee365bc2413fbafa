"""A small convolutional network, quick on a CPU."""

from itertools import pairwise
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from medunsup.core.registry import register
from medunsup.nn.blocks import ConvBlock, halving, widths
from medunsup.nn.encoder import Encoder, EncoderConfig


class CNNConfig(EncoderConfig):
    """Parameters of the small convolutional network."""

    channels: int = Field(
        16, ge=1, le=512, description="features at full resolution; doubled at each halving, up to eightfold"
    )
    levels: int = Field(3, ge=1, le=7, description="how often the sides are halved")


@register(
    "cnn",
    family="convolutional",
    dims=(2, 3),
    paper="Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015, "
    "arXiv:1505.04597 (its encoder, with group normalisation)",
    limit="Small: some 290,000 parameters in 2D and 870,000 in 3D; what a cell sees is 45 voxels across.",
)
class CNN(Encoder):
    """Two convolutions at each level, the encoder half of medunsup's small U-Net.

    Parameters
    ----------
    config : CNNConfig, optional
        Parameters of the network, listed by `help(CNN.Config)`; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import make_encoder
    >>> encoder = make_encoder("cnn", dims=2, channels=1)
    >>> encoder.features(torch.zeros(5, 1, 64, 64)).shape
    torch.Size([5, 128])
    """

    Config = CNNConfig
    stem = "down.0."
    networks: ClassVar[dict[str, dict[str, str]]] = {"UNet": {"": ""}}  # medunsup.nn.unet

    def __init__(self, config: CNNConfig | None = None, *, dims: int, channels: int) -> None:
        super().__init__(config, dims=dims, channels=channels)
        self.widths = tuple(widths(self.config.channels, self.config.levels))
        self.strides = tuple(2**level for level in range(self.config.levels + 1))
        self.down = nn.ModuleList([ConvBlock(dims, channels, self.widths[0])])
        for finer, coarser in pairwise(self.widths):
            self.down.append(halving(dims, finer, coarser))

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return one map a level, the first at full resolution."""
        found = []
        for block in self.down:
            x = block(x)
            found.append(x)
        return found
