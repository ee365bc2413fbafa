"""The encoder of MONAI's SegResNet."""

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.encoder import Encoder, EncoderConfig

GROUPS = 8


class SegResNetEncoderConfig(EncoderConfig):
    """Parameters of the SegResNet's encoder."""

    channels: int = Field(
        16,
        ge=GROUPS,
        le=256,
        multiple_of=GROUPS,
        description="features at full resolution; doubled at each halving (`init_filters` in MONAI)",
    )
    blocks: tuple[int, int, int, int] = Field(
        (1, 2, 2, 4), description="residual blocks at each level (`blocks_down` in MONAI)"
    )


@register(
    "segresnet",
    family="convolutional",
    dims=(2, 3),
    paper="Myronenko, 3D MRI brain tumor segmentation using autoencoder regularization, BrainLes 2018, "
    "arXiv:1810.11654",
    limit="Its coarsest cells stand for 8 voxels: features of a whole scan average many of them.",
)
class SegResNetEncoder(Encoder):
    """Encoder of MONAI's `SegResNet`: residual blocks with group normalisation.

    All weights go back into `SegResNet(init_filters=channels, blocks_down=blocks)`.

    Parameters
    ----------
    config : SegResNetEncoderConfig, optional
        Parameters of the network, listed by `help(SegResNetEncoder.Config)`; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import make_encoder
    >>> encoder = make_encoder("segresnet", dims=2, channels=1)
    >>> encoder.features(torch.zeros(5, 1, 32, 32)).shape
    torch.Size([5, 128])
    """

    Config = SegResNetEncoderConfig
    stem = "first."
    networks: ClassVar[dict[str, dict[str, str]]] = {
        "SegResNet": {"first.": "convInit.", "down_layers.": "down_layers."},
        "SegResNetVAE": {"first.": "convInit.", "down_layers.": "down_layers."},
    }

    def __init__(self, config: SegResNetEncoderConfig | None = None, *, dims: int, channels: int) -> None:
        from monai.networks.nets import SegResNet

        super().__init__(config, dims=dims, channels=channels)
        self.widths = tuple(self.config.channels * 2**level for level in range(4))
        self.strides = (1, 2, 4, 8)
        whole = SegResNet(
            spatial_dims=dims,
            in_channels=channels,
            init_filters=self.config.channels,
            blocks_down=self.config.blocks,
            norm=("group", {"num_groups": GROUPS}),
        )
        self.first, self.down_layers = whole.convInit, whole.down_layers

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return one map a level, the first at full resolution."""
        found = []
        x = self.first(x)
        for down in self.down_layers:
            x = down(x)
            found.append(x)
        return found
