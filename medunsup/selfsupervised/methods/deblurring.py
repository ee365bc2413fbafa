"""Deblurring: sharpness is brought back."""

import torch
from pydantic import Field

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.corruptions.deblur import deblur
from medunsup.selfsupervised.restoration import RestorationLearner
from medunsup.training.learner import View


class DeblurringConfig(PretrainConfig):
    """Parameters of deblurring."""

    least_voxels: float = Field(
        1.0, ge=0, le=16, description="least smoothing, standard deviation of the Gaussian in voxels"
    )
    most_voxels: float = Field(2.0, gt=0, le=16, description="most smoothing, in voxels")


class DeblurringLearner(RestorationLearner):
    """Encoder and decoder that sharpen smoothed items."""

    def corrupt(self, view: View, generator: torch.Generator) -> Corrupted:
        """Smooth items with a Gaussian."""
        chosen = self.config
        return deblur(view, generator, least_voxels=chosen.least_voxels, most_voxels=chosen.most_voxels)


@register(
    "deblurring",
    family="restoration",
    dims=(2, 3),
    paper="A denoising autoencoder with smoothing for noise: Vincent et al., Stacked denoising autoencoders, "
    "Journal of Machine Learning Research 2010",
    limit="Fine detail must pass the coarsest map, so sharpness comes back in part alone.",
)
class Deblurring(SelfSupervised):
    """Items are smoothed, and their sharpness is to be restored.

    Parameters
    ----------
    config : DeblurringConfig, optional
        Parameters of the method, listed by `help(Deblurring.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : DeblurringLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Deblurring, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Deblurring(Deblurring.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = DeblurringConfig
    learner_: DeblurringLearner

    def build(self, shape: tuple[int, ...]) -> DeblurringLearner:
        """Make encoder and decoder."""
        return DeblurringLearner(shape, self.config)
