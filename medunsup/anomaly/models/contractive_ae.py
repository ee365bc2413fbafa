"""Contractive autoencoder: the code may change only where healthy scans differ."""

from collections.abc import Sequence

import torch
from pydantic import Field

from medunsup.anomaly.models.ae import AE, AEConfig, AELearner
from medunsup.core.registry import register
from medunsup.nn.jacobian import squared_jacobian
from medunsup.nn.noise import normal
from medunsup.training.learner import Batch, Loss


class ContractiveAEConfig(AEConfig):
    """Parameters of the contractive autoencoder."""

    contraction: float = Field(1e-4, ge=0, description="weight of the squared norm of the encoder's Jacobian")


class ContractiveAELearner(AELearner):
    """Autoencoder whose loss adds the squared Frobenius norm of the encoder's Jacobian."""

    def __init__(self, shape: Sequence[int], config: ContractiveAEConfig) -> None:
        super().__init__(shape, config)
        self.contraction, self.latent_dim = config.contraction, config.latent_dim

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error and, estimated in one random direction of the code an item, the contraction."""
        x = batch.values
        error = super().loss(batch, generator).total
        direction = normal((1, len(x), self.latent_dim), x, generator)
        contraction = squared_jacobian(self.encoder, x, direction).mean()
        terms = {"error": error.detach(), "contraction": contraction.detach()}
        return Loss(error + self.contraction * contraction, terms)


@register(
    "contractive_ae",
    family="autoencoder",
    dims=(2, 3),
    paper="Rifai et al., Contractive auto-encoders: explicit invariance during feature extraction, ICML 2011",
    limit="Two to three times as slow as a plain autoencoder; larger decoder weights undo the contraction.",
)
class ContractiveAE(AE):
    """Autoencoder whose code hardly moves when the scan changes a little.

    Offers `reconstruct` and `encode`.

    Parameters
    ----------
    config : ContractiveAEConfig, optional
        Parameters of the method, listed by `help(ContractiveAE.Config)`; the defaults if not given.

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
    >>> detector = medunsup.Detector(model="contractive_ae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.encode(values, mask).shape
    (1, 4)
    """

    Config = ContractiveAEConfig

    def build(self, shape: Sequence[int]) -> AELearner:
        """Make encoder and decoder."""
        return ContractiveAELearner(shape, self.config)
