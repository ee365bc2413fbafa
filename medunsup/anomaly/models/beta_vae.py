"""Beta-VAE: a variational autoencoder held closer to its prior."""

from collections.abc import Sequence

from pydantic import Field

from medunsup.anomaly.models.vae import VAE, VAEConfig, VAELearner
from medunsup.core.registry import register


class BetaVAEConfig(VAEConfig):
    """Parameters of the beta-VAE."""

    beta: float = Field(
        4.0, gt=0, le=1000, description="weight of the divergence from the prior; 1 gives a VAE"
    )


@register(
    "beta_vae",
    family="autoencoder",
    dims=(2, 3),
    paper="Higgins et al., beta-VAE: Learning basic visual concepts with a constrained variational "
    "framework, ICLR 2017",
    limit="What a higher beta takes from lesions it takes from healthy folds too: more blur everywhere.",
)
class BetaVAE(VAE):
    """Variational autoencoder whose divergence from the prior weighs `beta` times as much.

    Offers what `VAE` does.

    Parameters
    ----------
    config : BetaVAEConfig, optional
        Parameters of the method, listed by `help(BetaVAE.Config)`; the defaults if not given.

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
    >>> sizes = {"beta": 2.0, "channels": 2, "levels": 1, "latent_dim": 4, "epochs": 1}
    >>> detector = medunsup.Detector(model="beta_vae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.reconstruct(values, mask).shape
    (1, 16, 16, 1)
    """

    Config = BetaVAEConfig

    def build(self, shape: Sequence[int]) -> VAELearner:
        """Make encoder and decoder."""
        return VAELearner(shape, self.config, beta=self.config.beta)
