"""Adversarial autoencoder: a discriminator makes the codes look like draws from the prior."""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from medunsup.anomaly.models.ae import AE, AEConfig, AELearner
from medunsup.core.registry import register
from medunsup.nn.critic import LatentCritic
from medunsup.nn.noise import normal
from medunsup.training.learner import Batch, Loss, Objective
from medunsup.training.optimizers import Adam

BETAS = (0.5, 0.9)


class AAEConfig(AEConfig):
    """Parameters of the adversarial autoencoder."""

    adversary_rate: float = Field(
        2e-4, gt=0, description="step size of Adam for the discriminator and the encoder against it"
    )


class AAELearner(AELearner):
    """Autoencoder and a discriminator of codes; the prior of codes is N(0, 1)."""

    def __init__(self, shape: Sequence[int], config: AAEConfig) -> None:
        super().__init__(shape, config)
        self.discriminator = LatentCritic(config.latent_dim)
        self.adversary_rate = config.adversary_rate

    def objectives(self) -> Sequence[Objective]:
        """Three objectives: encoder with decoder, the discriminator, the encoder against it."""
        adversary = Adam(self.adversary_rate, BETAS)
        return [
            Objective("reconstruction", self.halves, self.loss, Adam(self.learning_rate)),
            Objective("discriminator", self.discriminator.parameters, self.tell_apart, adversary),
            Objective("prior", self.encoder.parameters, self.deceive, adversary),
        ]

    def tell_apart(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Cross-entropy of telling draws from the prior (1) from codes of scans (0), mean over both."""
        with torch.no_grad():
            codes = self.encoder(batch.values)
        drawn = normal(codes.shape, codes, generator)
        total = 0.5 * (self._entropy(drawn, is_drawn=1.0) + self._entropy(codes, is_drawn=0.0))
        return Loss(total, {})

    def deceive(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Cross-entropy of the codes being taken for draws from the prior."""
        return Loss(self._entropy(self.encoder(batch.values), is_drawn=1.0), {})

    def _entropy(self, z: Tensor, *, is_drawn: float) -> Tensor:
        logits = self.discriminator(z)
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, is_drawn))


@register(
    "aae",
    family="adversarial",
    dims=(2, 3),
    paper="Makhzani et al., Adversarial autoencoders, ICLR workshop 2016, arXiv:1511.05644",
    limit="Codes that fill the prior make no sharper scans: the bottleneck does the work, not the adversary.",
)
class AAE(AE):
    """Adversarial autoencoder: codes of healthy scans are made to fill the prior N(0, 1).

    A discriminator learns to tell codes from draws of the prior, the encoder to deceive it. Offers
    `reconstruct` and `encode`.

    Parameters
    ----------
    config : AAEConfig, optional
        Parameters of the method, listed by `help(AAE.Config)`; the defaults if not given.

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
    >>> detector = medunsup.Detector(model="aae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.encode(values, mask).shape
    (1, 4)
    """

    Config = AAEConfig

    def build(self, shape: Sequence[int]) -> AELearner:
        """Make encoder, decoder and discriminator."""
        return AAELearner(shape, self.config)
