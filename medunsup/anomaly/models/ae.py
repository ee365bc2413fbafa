"""Autoencoder: what does not pass the bottleneck is not healthy."""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from medunsup.anomaly.deep import DeepConfig, DeepModel
from medunsup.core.registry import register
from medunsup.nn.autoencoder import Decoder, Encoder
from medunsup.nn.losses import inside_mean
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Array, Mask


class AEConfig(DeepConfig):
    """Parameters of the autoencoder."""

    latent_dim: int = Field(128, ge=1, le=4096, description="length of the code of a slice or volume")


class AELearner(Learner):
    """Encoder and decoder around a dense bottleneck; squared error inside the mask."""

    def __init__(self, shape: Sequence[int], config: AEConfig) -> None:
        super().__init__()
        size = {"channels": config.channels, "levels": config.levels}
        self.encoder = Encoder(shape, **size, outputs=config.latent_dim)
        self.decoder = Decoder(shape, **size, inputs=config.latent_dim)
        self.learning_rate = config.learning_rate

    def reconstruct(self, x: Tensor, masks: Tensor) -> Tensor:
        """Return what the bottleneck lets through, 0 outside the masks."""
        return self.decoder(self.encoder(x)) * masks

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: encoder and decoder together."""
        return [Objective("reconstruction", self.halves, self.loss, Adam(self.learning_rate))]

    def halves(self) -> list[nn.Parameter]:
        """Return the parameters of encoder and decoder."""
        return [*self.encoder.parameters(), *self.decoder.parameters()]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error inside the masks."""
        error = self.reconstruct(batch.values, batch.masks) - batch.values
        return Loss(inside_mean(error.square(), batch.masks), {})


@register(
    "ae",
    family="autoencoder",
    dims=(2, 3),
    paper="Baur et al., Autoencoders for unsupervised anomaly segmentation in brain MR images, "
    "Medical Image Analysis 2021, doi:10.1016/j.media.2020.101952",
    limit="Reconstructions are blurred: every edge and fold stands out as much as a faint lesion.",
)
class AE(DeepModel):
    """Convolutional autoencoder with a dense bottleneck.

    It learns to reconstruct healthy scans through a code that is too short for anything else. Offers
    `reconstruct` and `encode`.

    Parameters
    ----------
    config : AEConfig, optional
        Parameters of the method, listed by `help(AE.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : Learner
        The trained networks.
    trained_ : Trained
        How the training ended: epochs run, which was best, its validation loss. Not there in a model that was
        read from a file.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    >>> sizes = {"channels": 2, "levels": 1, "latent_dim": 4, "epochs": 1}
    >>> detector = medunsup.Detector(model="ae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.encode(values, mask).shape
    (1, 4)
    """

    Config = AEConfig
    learner_: AELearner

    def build(self, shape: Sequence[int]) -> AELearner:
        """Make encoder and decoder."""
        return AELearner(shape, self.config)

    def reconstruct(self, values: Array, mask: Mask) -> Array:
        """Return the pseudo-healthy reconstruction of one scan.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (C, I, J, K), float32
            What passes the bottleneck, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.apply(self.learner_.reconstruct, values, mask)

    def encode(self, values: Array, mask: Mask) -> Array:
        """Return the code of one scan.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (P, D), float32
            One row for each slice that reaches into the mask, or one for the volume.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.apply(lambda x, inside: self.learner_.encoder(x), values, mask)
