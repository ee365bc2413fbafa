"""Constrained adversarial autoencoder: what is reconstructed must have the code of what came in."""

from collections.abc import Sequence

import torch
from pydantic import Field

from medunsup.anomaly.models.ae import AE, AEConfig, AELearner
from medunsup.core.registry import register
from medunsup.nn.critic import LatentCritic
from medunsup.nn.losses import gradient_penalty, inside_mean
from medunsup.nn.noise import normal
from medunsup.training.learner import Batch, Loss, Objective
from medunsup.training.optimizers import Adam

BETAS = (0.5, 0.9)


class ConstrainedAAEConfig(AEConfig):
    """Parameters of the constrained adversarial autoencoder."""

    consistency: float = Field(
        1.0, ge=0, description="weight of the squared difference between the codes of scan and reconstruction"
    )
    penalty: float = Field(10.0, gt=0, description="weight of the critic's gradient penalty")
    critic_steps: int = Field(
        5, ge=1, le=100, description="steps of the critic for each step of the encoder against it"
    )
    critic_rate: float = Field(
        1e-4, gt=0, description="step size of Adam for the critic and the encoder against it"
    )


class ConstrainedAAELearner(AELearner):
    """Autoencoder and a Wasserstein critic of codes; the prior of codes is N(0, 1)."""

    def __init__(self, shape: Sequence[int], config: ConstrainedAAEConfig) -> None:
        super().__init__(shape, config)
        self.critic = LatentCritic(config.latent_dim)
        self.config = config

    def objectives(self) -> Sequence[Objective]:
        """Three objectives: encoder with decoder, the critic, now and again the encoder against it."""
        rate, every = self.config.critic_rate, self.config.critic_steps
        return [
            Objective("autoencoder", self.halves, self.loss, Adam(self.learning_rate)),
            Objective("critic", self.critic.parameters, self.criticise, Adam(rate, BETAS)),
            Objective("prior", self.encoder.parameters, self.approach, Adam(rate, BETAS), every=every),
        ]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error inside the masks, and that between the codes of scan and reconstruction."""
        z = self.encoder(batch.values)
        reconstruction = self.decoder(z) * batch.masks
        error = inside_mean((reconstruction - batch.values).square(), batch.masks)
        difference = (self.encoder(reconstruction) - z).square().mean()
        terms = {"error": error.detach(), "consistency": difference.detach()}
        return Loss(error + self.config.consistency * difference, terms)

    def criticise(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean of the critic over codes less that over draws from the prior, and its gradient penalty."""
        with torch.no_grad():
            codes = self.encoder(batch.values)
        drawn = normal(codes.shape, codes, generator)
        distance = self.critic(drawn).mean() - self.critic(codes).mean()
        penalty = gradient_penalty(self.critic, drawn, codes, generator)
        terms = {"distance": distance.detach(), "penalty": penalty.detach()}
        return Loss(self.config.penalty * penalty - distance, terms)

    def approach(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Minus the critic's mean over codes: bring them closer to the prior."""
        return Loss(-self.critic(self.encoder(batch.values)).mean(), {})


@register(
    "constrained_aae",
    family="adversarial",
    dims=(2, 3),
    paper="Chen & Konukoglu, Unsupervised detection of lesions in brain MRI using constrained adversarial "
    "auto-encoders, MIDL 2018, arXiv:1806.04972",
    limit="Codes of scan and reconstruction agree most easily by shrinking, against which the critic works.",
)
class ConstrainedAAE(AE):
    """Adversarial autoencoder with gradient penalty and consistent codes.

    The reconstruction must have the code of the scan it was made of, and a Wasserstein critic holds the codes
    to the prior N(0, 1). Offers `reconstruct` and `encode`.

    Parameters
    ----------
    config : ConstrainedAAEConfig, optional
        Parameters of the method, listed by `help(ConstrainedAAE.Config)`; the defaults if not given.

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
    >>> detector = medunsup.Detector(model="constrained_aae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.encode(values, mask).shape
    (1, 4)
    """

    Config = ConstrainedAAEConfig

    def build(self, shape: Sequence[int]) -> AELearner:
        """Make encoder, decoder and critic."""
        return ConstrainedAAELearner(shape, self.config)
