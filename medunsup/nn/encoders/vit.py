"""MONAI's vision transformer, its tokens laid back as a grid."""

from typing import ClassVar

from pydantic import Field
from torch import Tensor
from torch.nn import functional

from medunsup.core.errors import UsageError
from medunsup.core.registry import register
from medunsup.nn.encoder import Encoder, EncoderConfig

MODES = {2: "bilinear", 3: "trilinear"}


class ViTEncoderConfig(EncoderConfig):
    """Parameters of the vision transformer."""

    sides: int | tuple[int, ...] = Field(
        96,
        description="sides in voxels of the images in training, one number for all axes or one an axis",
    )
    patch: int = Field(16, ge=1, le=64, description="sides of the patch that makes a token, in voxels")
    width: int = Field(384, ge=1, le=4096, description="length of a token; a multiple of `heads`")
    layers: int = Field(12, ge=1, le=48, description="transformer blocks; MONAI's UNETR has 12")
    heads: int = Field(6, ge=1, le=64, description="attention heads")


@register(
    "vit",
    family="transformer",
    dims=(2, 3),
    paper="Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021, arXiv:2010.11929",
    limit="Learns an embedding for each place, so all images in training have one size; it needs many scans.",
)
class ViTEncoder(Encoder):
    """MONAI's `ViT` without class token; its only map is the grid of the tokens after the last norm.

    Features are the mean over the tokens inside the mask, never the first token, which is a corner of the
    image. After training it takes other sides as well, by interpolating between places. All weights go back
    into `UNETR` of the same sizes (`patch` 16, `layers` 12). The weights named `norm_cross_attn`, which MONAI
    keeps in every block and never uses, are there and not trained.

    Parameters
    ----------
    config : ViTEncoderConfig, optional
        Parameters of the network, listed by `help(ViTEncoder.Config)`; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import make_encoder
    >>> small = {"sides": 32, "width": 24, "layers": 2}
    >>> encoder = make_encoder("vit", small, dims=2, channels=1)
    >>> encoder(torch.zeros(5, 1, 32, 32))[-1].shape
    torch.Size([5, 24, 2, 2])
    """

    Config = ViTEncoderConfig
    stem = "vit.patch_embedding.patch_embeddings."
    has_blocks = True
    networks: ClassVar[dict[str, dict[str, str]]] = {"UNETR": {"": ""}}
    optional = ("norm_cross_attn",)

    def __init__(self, config: ViTEncoderConfig | None = None, *, dims: int, channels: int) -> None:
        from monai.networks.nets import ViT

        super().__init__(config, dims=dims, channels=channels)
        given = self.config.sides
        self.sides = (given,) * dims if isinstance(given, int) else given
        self._check_config()
        self.divisor, self.heads = self.config.patch, self.config.heads
        self.widths, self.strides = (self.config.width,), (self.config.patch,)
        self.vit = ViT(
            in_channels=channels,
            img_size=self.sides,
            patch_size=self.config.patch,
            hidden_size=self.config.width,
            mlp_dim=4 * self.config.width,
            num_layers=self.config.layers,
            num_heads=self.config.heads,
            spatial_dims=dims,
        )
        for block in self.vit.blocks:
            block.norm_cross_attn.requires_grad_(False)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the grid of tokens."""
        grid, patch = x.shape[2:], self.config.patch
        if tuple(grid) == self.sides:
            tokens, _ = self.vit(x)
        elif self.training:
            raise UsageError(
                f"vit learns the places of images of sides {self.sides}, got {tuple(grid)}. "
                "Cut patches of these sides, or build it with other `sides`."
            )
        else:
            tokens = self._elsewhere(x)
        return [tokens.transpose(1, 2).unflatten(2, [side // patch for side in grid])]

    def attention(self, x: Tensor) -> Tensor:
        """Return the attention of the last block; what the network makes of the images stays the same.

        Parameters
        ----------
        x : Tensor of shape (B, C, ...), float
            Images, as `forward` takes them.

        Returns
        -------
        Tensor of shape (B, heads, cells, cells)
            Each row sums to 1.
        """
        last = self.vit.blocks[-1].attn
        last.save_attn = True
        try:
            self(x)
            return last.att_mat
        finally:
            last.save_attn, last.att_mat = False, x.new_empty(0)

    def _elsewhere(self, x: Tensor) -> Tensor:
        """Return the tokens of images of other sides, embeddings of places interpolated."""
        embedding = self.vit.patch_embedding
        cells = embedding.patch_embeddings(x)
        learned = [side // self.config.patch for side in self.sides]
        places = embedding.position_embeddings.transpose(1, 2).unflatten(2, learned)
        places = functional.interpolate(places, size=cells.shape[2:], mode=MODES[self.dims])
        tokens = (cells + places).flatten(2).transpose(1, 2)
        for block in self.vit.blocks:
            tokens = block(tokens)
        return self.vit.norm(tokens)

    def _check_config(self) -> None:
        """Raise UsageError where parameters do not fit one another."""
        patch, width, heads = self.config.patch, self.config.width, self.config.heads
        if len(self.sides) != self.dims or any(side < 1 or side % patch for side in self.sides):
            raise UsageError(
                f"vit: `sides` should be {self.dims} multiples of `patch` ({patch}), got {self.sides}."
            )
        if width % heads:
            raise UsageError(f"vit: `width` should be a multiple of `heads` ({heads}), got {width}.")
