"""nnU-Net's residual encoder, for weights such as OpenMind's."""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator
from torch import Tensor, nn

from medunsup.core.errors import DependencyError, UsageError
from medunsup.core.registry import register
from medunsup.nn.encoder import Encoder, EncoderConfig

CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}
NORM = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


class ResEncConfig(EncoderConfig):
    """Parameters of the residual encoder; the defaults are ResEnc-L as OpenMind trained it."""

    widths: tuple[int, ...] = Field(
        (32, 64, 128, 256, 320, 320), min_length=2, max_length=8, description="features of each stage"
    )
    blocks: tuple[int, ...] = Field((1, 3, 4, 6, 6, 6), description="residual blocks of each stage")

    @model_validator(mode="after")
    def _as_many_blocks_as_widths(self) -> Self:
        if len(self.blocks) != len(self.widths) or min(*self.blocks, *self.widths) < 1:
            raise ValueError("`blocks` and `widths` need one number of 1 or more for each stage.")
        return self


@register(
    "resenc",
    family="convolutional",
    dims=(2, 3),
    paper="Isensee et al., nnU-Net revisited, MICCAI 2024, arXiv:2404.09556; "
    "Wald et al., An OpenMind for 3D medical vision self-supervised learning, ICCV 2025, arXiv:2412.17041",
    limit="Slow on a CPU; instance normalisation centres each map, so features of a whole scan say less.",
)
class ResEnc(Encoder):
    """Residual encoder of dynamic-network-architectures, as nnU-Net and OpenMind have it.

    Weights trained there load key for key, and go back into `ResidualEncoderUNet`. Install the package with
    `pip install --no-deps dynamic-network-architectures`: a torchvision of another build than torch, which it
    asks for and this encoder never imports, breaks other packages.

    Parameters
    ----------
    config : ResEncConfig, optional
        Parameters of the network, listed by `help(ResEnc.Config)`; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Examples
    --------
    >>> from medunsup.nn import ResEnc
    >>> ResEnc.Config(widths=(16, 32, 64), blocks=(1, 2, 2)).blocks
    (1, 2, 2)
    """

    Config = ResEncConfig
    stem = "stem_block."
    networks: ClassVar[dict[str, dict[str, str]]] = {
        "ResidualEncoderUNet": {"stem_block.": "encoder.stem.", "stages.": "encoder.stages."}
    }

    def __init__(self, config: ResEncConfig | None = None, *, dims: int, channels: int) -> None:
        super().__init__(config, dims=dims, channels=channels)
        stages = len(self.config.widths)
        self.widths = self.config.widths
        self.strides = tuple(2**stage for stage in range(stages))
        self.divisor = self.strides[-1]
        whole = _residual_encoder()(
            input_channels=channels,
            n_stages=stages,
            features_per_stage=list(self.widths),
            conv_op=CONVOLUTION[dims],
            kernel_sizes=3,
            strides=[1] + [2] * (stages - 1),
            n_blocks_per_stage=list(self.config.blocks),
            conv_bias=True,
            norm_op=NORM[dims],
            norm_op_kwargs={"eps": 1e-5, "affine": True},
            nonlin=nn.LeakyReLU,
            nonlin_kwargs={"inplace": True},
        )
        self.stem_block: nn.Module = whole.stem
        self.stages: nn.Sequential = whole.stages

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return one map a stage, the first at full resolution."""
        if all(side == self.divisor for side in x.shape[2:]):
            raise UsageError(
                f"resenc cannot normalise a map of one cell: one side should be {2 * self.divisor} or more, "
                f"got {tuple(x.shape[2:])}. Take larger patches, or fewer stages."
            )
        found = []
        x = self.stem_block(x)
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


def _residual_encoder() -> Any:
    try:
        from dynamic_network_architectures.building_blocks.residual_encoders import ResidualEncoder
    except ImportError as error:
        raise DependencyError(
            "The encoder resenc needs dynamic-network-architectures. Install it without its dependencies, "
            "which are not needed here: pip install --no-deps 'dynamic-network-architectures>=0.4'."
        ) from error
    return ResidualEncoder
