"""Beta-VAE: a variational autoencoder held closer to its prior."""

from collections.abc import Sequence

from pydantic import Field

from medunsup.anomaly.models.vae import VAE, VAEConfig, VAELearner
from medunsup.core.registry import register


class BetaVAEConfig(VAEConfig):
    """Parameters of the beta-VAE."""

    beta: float = Field(4.0, gt=0, le=1000, description="weight of the divergence from the prior; 1 is a VAE")


@register(
    "beta_vae",
    family="autoencoder",
    dims=(2, 3),
    paper="Higgins et al., beta-VAE: Learning basic visual concepts with a constrained variational "
    "framework, ICLR 2017",
    limit="What a higher beta takes from lesions it takes from healthy folds too: more blur everywhere.",
)
class BetaVAE(VAE):
    """Variational autoencoder whose divergence from the prior weighs `beta` times as much."""

    Config = BetaVAEConfig

    def build(self, shape: Sequence[int]) -> VAELearner:
        """Make encoder and decoder."""
        return VAELearner(shape, self.config, beta=self.config.beta)
