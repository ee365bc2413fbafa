"""MONAI's Swin transformer."""

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.encoder import Encoder, EncoderConfig

HEADS = (3, 6, 12, 24)


class SwinEncoderConfig(EncoderConfig):
    """Parameters of the Swin transformer."""

    width: int = Field(
        24,
        ge=12,
        le=384,
        multiple_of=12,
        description="features of the finest map; doubled at each halving (`feature_size` in MONAI)",
    )
    blocks: int = Field(2, ge=1, le=24, description="transformer blocks of each of the four stages")
    window: int = Field(7, ge=2, le=16, description="sides of the windows of attention, in cells")


@register(
    "swin",
    family="transformer",
    dims=(2, 3),
    paper="Liu et al., Swin transformer, ICCV 2021, arXiv:2103.14030; "
    "Tang et al., Self-supervised pre-training of Swin transformers for 3D medical image analysis, "
    "CVPR 2022, arXiv:2111.14791",
    limit="Slow on a CPU; its windows stand still, so its maps follow a shift of the image only roughly.",
)
class SwinEncoder(Encoder):
    """MONAI's `SwinTransformer` as `SwinUNETR` has it, maps normalised over their channels.

    All weights go back into `SwinUNETR(feature_size=width, depths=(blocks,) * 4, window_size=window)`.

    Parameters
    ----------
    config : SwinEncoderConfig, optional
        Parameters of the network, listed by `help(SwinEncoder.Config)`; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import make_encoder
    >>> encoder = make_encoder("swin", {"width": 12}, dims=2, channels=1)
    >>> encoder.features(torch.zeros(5, 1, 64, 64)).shape
    torch.Size([5, 192])
    """

    Config = SwinEncoderConfig
    stem = "swin.patch_embed.proj."
    has_blocks = True
    networks: ClassVar[dict[str, dict[str, str]]] = {"SwinUNETR": {"swin.": "swinViT."}}
    divisor = 32

    def __init__(self, config: SwinEncoderConfig | None = None, *, dims: int, channels: int) -> None:
        from monai.networks.nets.swin_unetr import SwinTransformer

        super().__init__(config, dims=dims, channels=channels)
        self.widths = tuple(self.config.width * 2**level for level in range(5))
        self.strides = (2, 4, 8, 16, 32)
        self.swin = SwinTransformer(
            in_chans=channels,
            embed_dim=self.config.width,
            window_size=(self.config.window,) * dims,
            patch_size=(2,) * dims,
            depths=(self.config.blocks,) * 4,
            num_heads=HEADS,
            spatial_dims=dims,
        )

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the map of the patch embedding, then one a stage."""
        return self.swin(x)
