"""f-AnoGAN: a generator of healthy scans, then an encoder that finds the scan it would make."""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from medunsup.anomaly.models.ae import AE, AEConfig, AELearner
from medunsup.core.registry import register
from medunsup.nn.autoencoder import Encoder
from medunsup.nn.losses import gradient_penalty, inside_mean
from medunsup.nn.noise import normal
from medunsup.training.learner import Batch, Loss, Objective
from medunsup.training.optimizers import Adam

BETAS = (0.5, 0.9)
CRITIC_FEATURES = 128


class FAnoGANConfig(AEConfig):
    """Parameters of f-AnoGAN."""

    adversary_share: float = Field(
        0.6, gt=0, lt=1, description="share of the epochs for the first stage, generator and critic"
    )
    kappa: float = Field(
        1.0,
        ge=0,
        description="weight of the difference between the critic's features of scan and reconstruction",
    )
    penalty: float = Field(10.0, gt=0, description="weight of the critic's gradient penalty")
    critic_steps: int = Field(
        5, ge=1, le=100, description="steps of the critic for each step of the generator"
    )
    adversary_rate: float = Field(1e-4, gt=0, description="step size of Adam for critic and generator")


class ImageCritic(nn.Module):
    """Map (B, C, ...) to one number each (B, 1), by way of features (B, 128)."""

    def __init__(self, shape: Sequence[int], *, channels: int, levels: int) -> None:
        super().__init__()
        encoder = Encoder(shape, channels=channels, levels=levels, outputs=CRITIC_FEATURES)
        self.features = nn.Sequential(encoder, nn.SiLU())
        self.last = nn.Linear(CRITIC_FEATURES, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the critic's numbers, larger for what looks like a scan."""
        return self.last(self.features(x))


class FAnoGANLearner(AELearner):
    """Generator (the decoder) and Wasserstein critic in a first stage, the encoder alone in a second.

    Whatever is generated is cut to the mask of a scan before the critic sees it.
    """

    def __init__(self, shape: Sequence[int], config: FAnoGANConfig) -> None:
        super().__init__(shape, config)
        self.critic = ImageCritic(shape, channels=config.channels, levels=config.levels)
        self.config = config

    def objectives(self) -> Sequence[Objective]:
        """Three objectives: encoder, critic, generator; the encoder leads, for its loss is validated."""
        config = self.config
        rate, every = config.adversary_rate, config.critic_steps
        return [
            Objective("encoder", self.encoder.parameters, self.loss, Adam(config.learning_rate)),
            Objective("critic", self.critic.parameters, self.criticise, Adam(rate, BETAS)),
            Objective("generator", self.decoder.parameters, self.generate, Adam(rate, BETAS), every=every),
        ]

    def is_due(self, objective: Objective, progress: float) -> bool:
        """Let critic and generator go first; they are left as they are once the encoder learns."""
        return (objective.name == "encoder") == (progress >= self.config.adversary_share)

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Difference of scan and reconstruction, in voxels and in the critic's features (izi_f)."""
        made = self.reconstruct(batch.values, batch.masks)
        error = inside_mean((made - batch.values).square(), batch.masks)
        seen = self.critic.features(made) - self.critic.features(batch.values)
        features = seen.square().mean()
        terms = {"error": error.detach(), "features": features.detach()}
        return Loss(error + self.config.kappa * features, terms)

    def criticise(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean of the critic over what is generated less that over scans, and its gradient penalty."""
        with torch.no_grad():
            made = self._generated(batch, generator)
        distance = self.critic(batch.values).mean() - self.critic(made).mean()
        penalty = gradient_penalty(self.critic, batch.values, made, generator)
        terms = {"distance": distance.detach(), "penalty": penalty.detach()}
        return Loss(self.config.penalty * penalty - distance, terms)

    def generate(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Minus the critic's mean over what is generated."""
        return Loss(-self.critic(self._generated(batch, generator)).mean(), {})

    def _generated(self, batch: Batch, generator: torch.Generator) -> Tensor:
        z = normal((len(batch.values), self.config.latent_dim), batch.values, generator)
        return self.decoder(z) * batch.masks


@register(
    "fanogan",
    family="adversarial",
    dims=(2, 3),
    paper="Schlegl et al., f-AnoGAN: Fast unsupervised anomaly detection with generative adversarial "
    "networks, Medical Image Analysis 2019, doi:10.1016/j.media.2019.01.010",
    limit="The generator makes other folds than the scan's own, so healthy anatomy is left over as well; "
    "it needs many scans and long training.",
)
class FAnoGAN(AE):
    """Wasserstein GAN of healthy scans and an encoder into its latent space.

    Generator and critic are trained first, then the encoder alone. Offers `reconstruct` and `encode`.

    Parameters
    ----------
    config : FAnoGANConfig, optional
        Parameters of the method, listed by `help(FAnoGAN.Config)`; the defaults if not given.

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
    >>> sizes = {"channels": 2, "levels": 1, "latent_dim": 4, "epochs": 2}
    >>> detector = medunsup.Detector(model="fanogan", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.encode(values, mask).shape
    (1, 4)
    """

    Config = FAnoGANConfig

    def build(self, shape: Sequence[int]) -> AELearner:
        """Make generator, critic and encoder."""
        return FAnoGANLearner(shape, self.config)
