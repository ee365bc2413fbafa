"""Autoencoder: the plainest pretext task, to rebuild the scan from the encoder's coarsest feature map."""

from collections.abc import Sequence

import torch
from torch import Tensor

from medunsup.core.registry import register
from medunsup.nn.decoder import LightDecoder
from medunsup.nn.losses import inside_mean
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.restoration import means_of
from medunsup.training.learner import Batch, Loss, Objective


class AutoencoderConfig(PretrainConfig):
    """Parameters of the autoencoder."""


class AutoencoderLearner(PretrainLearner):
    """Encoder, and a light decoder of its coarsest map; squared error inside the mask."""

    def __init__(self, shape: tuple[int, ...], config: AutoencoderConfig) -> None:
        super().__init__(shape, config)
        self.decoder = LightDecoder(config.dims, self.encoder.widths, shape[0])

    def reconstruct(self, x: Tensor, masks: Tensor) -> Tensor:
        """Return what passes the encoder, 0 outside the masks."""
        return self.decoder(self.encoder(x), x.shape[2:]) * masks

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: encoder and decoder together."""
        return [self.objective("reconstruction", self.loss)]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error inside the masks, beside those of the `means_of` items."""
        (view,) = batch.views
        error = self.reconstruct(view.values, view.masks) - view.values
        beside = {
            name: inside_mean((guess - view.values).square(), view.masks)
            for name, guess in means_of(view).items()
        }
        return Loss(inside_mean(error.square(), view.masks), beside)


@register(
    "autoencoder",
    family="reconstruction",
    dims=(2, 3),
    paper="Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 2006, "
    "doi:10.1126/science.1127647",
    limit="It keeps what rebuilds intensities, which need not be what tells people apart.",
)
class Autoencoder(SelfSupervised):
    """Convolutional autoencoder whose coarsest feature map must hold the scan.

    Parameters
    ----------
    config : AutoencoderConfig, optional
        Parameters of the method, listed by `help(Autoencoder.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : AutoencoderLearner
        The trained networks.
    trained_ : Trained
        How the training ended: epochs run, which was best, its validation loss.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Autoencoder, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Autoencoder(Autoencoder.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = AutoencoderConfig
    learner_: AutoencoderLearner

    def build(self, shape: tuple[int, ...]) -> AutoencoderLearner:
        """Make encoder and decoder."""
        return AutoencoderLearner(shape, self.config)
