"""The encoder half of MONAI's BasicUNet."""

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.encoder import Encoder, EncoderConfig

GROUPS = 8


class UNetEncoderConfig(EncoderConfig):
    """Parameters of the U-Net's encoder."""

    channels: int = Field(
        32,
        ge=GROUPS,
        le=512,
        multiple_of=GROUPS,
        description="features of the first two levels; doubled at each of the three below",
    )


@register(
    "unet",
    family="convolutional",
    dims=(2, 3),
    paper="Falk et al., U-Net: deep learning for cell counting, detection, and morphometry, "
    "Nature Methods 2019, doi:10.1038/s41592-018-0261-2",
    limit="Two convolutions at full resolution: in 3D most of the time and memory goes there.",
)
class UNetEncoder(Encoder):
    """Encoder of MONAI's `BasicUNet` with group normalisation.

    All weights go back into `BasicUNet(..., norm=("group", {"num_groups": 8}))` of the same features.

    Parameters
    ----------
    config : UNetEncoderConfig, optional
        Parameters of the network, listed by `help(UNetEncoder.Config)`; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import make_encoder
    >>> encoder = make_encoder("unet", {"channels": 8}, dims=2, channels=1)
    >>> encoder.features(torch.zeros(5, 1, 32, 32)).shape
    torch.Size([5, 64])
    """

    Config = UNetEncoderConfig
    stem = "conv_0.conv_0."
    has_blocks = True
    networks: ClassVar[dict[str, dict[str, str]]] = {"BasicUNet": {"": ""}}
    divisor = 16

    def __init__(self, config: UNetEncoderConfig | None = None, *, dims: int, channels: int) -> None:
        from monai.networks.nets import BasicUNet

        super().__init__(config, dims=dims, channels=channels)
        self.widths = tuple(self.config.channels * times for times in (1, 1, 2, 4, 8))
        self.strides = (1, 2, 4, 8, 16)
        features = (*self.widths, self.widths[0])
        norm = ("group", {"num_groups": GROUPS})
        whole = BasicUNet(spatial_dims=dims, in_channels=channels, features=features, norm=norm)
        self.conv_0 = whole.conv_0
        self.down_1, self.down_2 = whole.down_1, whole.down_2
        self.down_3, self.down_4 = whole.down_3, whole.down_4

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return one map a level, the first at full resolution."""
        found = [self.conv_0(x)]
        for down in (self.down_1, self.down_2, self.down_3, self.down_4):
            found.append(down(found[-1]))
        return found
