"""Masked autoencoder: most of the brain is hidden, and filled in from the rest."""

from typing import Self

import torch
from pydantic import Field, model_validator

from medunsup.core.errors import UsageError
from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.masking import masking
from medunsup.selfsupervised.restoration import RestorationLearner
from medunsup.training.learner import View


class MaskedAutoencoderConfig(PretrainConfig):
    """Parameters of the masked autoencoder."""

    side: int | None = Field(
        None,
        ge=1,
        le=256,
        description="sides of a hidden patch in voxels; by default the step of the encoder's coarsest map (a "
        "transformer's patch), at most half of the item's shortest side",
    )
    least_ratio: float = Field(
        0.6, gt=0, lt=1, description="least share hidden of the patches with brain, drawn for each item"
    )
    most_ratio: float = Field(0.9, gt=0, lt=1, description="largest share hidden")

    @model_validator(mode="after")
    def _check_ratios(self) -> Self:
        if self.most_ratio < self.least_ratio:
            raise UsageError(f"most_ratio {self.most_ratio} is below least_ratio {self.least_ratio}.")
        return self


class MaskedAutoencoderLearner(RestorationLearner):
    """Encoder of what is shown, decoder of all; only hidden voxels inside the mask count."""

    changed_only = True

    def corrupt(self, view: View, generator: torch.Generator) -> Corrupted:
        """Hide patches of the brain."""
        chosen = self.config
        side = chosen.side or max(1, min(self.encoder.strides[-1], min(view.values.shape[2:]) // 2))
        return masking(
            view, generator, side=side, least_ratio=chosen.least_ratio, most_ratio=chosen.most_ratio
        )


@register(
    "masked_autoencoder",
    family="restoration",
    dims=(2, 3),
    paper="He et al., Masked autoencoders are scalable vision learners, CVPR 2022, arXiv:2111.06377; Wald "
    "et al., Revisiting MAE pre-training for 3D medical image segmentation, CVPR 2025, arXiv:2410.23132",
    limit="A few thousand slices teach it little more than smooth filling; its features need fine-tuning.",
)
class MaskedAutoencoder(SelfSupervised):
    """Random patches of the brain are hidden, 60 to 90 % of them, and filled in from what is shown.

    Hidden patches are 0 in the input of any encoder. A transformer too sees a token in their place, as in
    SimMIM (Xie et al., CVPR 2022): it is not the faster for them, but its tokens keep their places and its
    features are those of a whole image. Only hidden voxels inside the mask count, or the outline would be
    learned instead of anatomy; intensities are not normalised by patch, which gives noise on grey images.

    Parameters
    ----------
    config : MaskedAutoencoderConfig, optional
        Parameters of the method, listed by `help(MaskedAutoencoder.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : MaskedAutoencoderLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import MaskedAutoencoder, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = MaskedAutoencoder(MaskedAutoencoder.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = MaskedAutoencoderConfig
    learner_: MaskedAutoencoderLearner

    def build(self, shape: tuple[int, ...]) -> MaskedAutoencoderLearner:
        """Make encoder and decoder."""
        return MaskedAutoencoderLearner(shape, self.config)
