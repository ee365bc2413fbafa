"""Denoising: noise is taken away."""

import torch
from pydantic import Field

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.noise import noise
from medunsup.selfsupervised.restoration import RestorationLearner
from medunsup.training.learner import View


class DenoisingConfig(PretrainConfig):
    """Parameters of denoising."""

    least_sd: float = Field(
        0.2, ge=0, le=10, description="least noise, in standard deviations of the item inside its mask"
    )
    most_sd: float = Field(0.6, gt=0, le=10, description="most noise, in the same unit")


class DenoisingLearner(RestorationLearner):
    """Encoder and decoder that take noise away."""

    def corrupt(self, view: View, generator: torch.Generator) -> Corrupted:
        """Add Gaussian noise inside the mask."""
        return noise(view, generator, least_sd=self.config.least_sd, most_sd=self.config.most_sd)


@register(
    "denoising",
    family="restoration",
    dims=(2, 3),
    paper="Vincent et al., Stacked denoising autoencoders, Journal of Machine Learning Research 2010",
    limit="Weak noise is taken away by smoothing alone, for which no anatomy need be known.",
)
class Denoising(SelfSupervised):
    """Noise is added inside the brain, and the image without it is to be restored.

    Parameters
    ----------
    config : DenoisingConfig, optional
        Parameters of the method, listed by `help(Denoising.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : DenoisingLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Denoising, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Denoising(Denoising.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = DenoisingConfig
    learner_: DenoisingLearner

    def build(self, shape: tuple[int, ...]) -> DenoisingLearner:
        """Make encoder and decoder."""
        return DenoisingLearner(shape, self.config)
