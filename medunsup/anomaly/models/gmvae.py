"""Gaussian mixture variational autoencoder: healthy scans of several kinds."""

from collections.abc import Sequence
from math import log
from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from medunsup.anomaly.models.vae import LOG_VARIANCE, VAE, VAEConfig, VAELearner
from medunsup.core.registry import register
from medunsup.nn.autoencoder import Encoder
from medunsup.nn.losses import kl_to_standard_normal
from medunsup.nn.noise import draw_gaussian
from medunsup.training.learner import Batch, Loss

HIDDEN = 128


class GMVAEConfig(VAEConfig):
    """Parameters of the Gaussian mixture variational autoencoder."""

    clusters: int = Field(6, ge=2, le=100, description="Gaussians in the prior")
    style_dim: int = Field(16, ge=1, le=1024, description="latent variables w that shape these Gaussians")
    least_information: float = Field(
        0.5,
        ge=0,
        description="least cost of the clusters' divergence in nats: below it nothing is gained by leaving "
        "clusters unused",
    )


class Gaussian(NamedTuple):
    """Mean and log variance, alike in shape, each entry on its own."""

    mean: Tensor
    log_variance: Tensor


class GMVAELearner(VAELearner):
    """A VAE whose prior is p(w) N(0, 1), p(c) uniform, p(z | w, c) one Gaussian a cluster c."""

    def __init__(self, shape: Sequence[int], config: GMVAEConfig) -> None:
        super().__init__(shape, config)
        self.z_dim, self.clusters = config.latent_dim, config.clusters
        self.least_information = config.least_information
        outputs = 2 * (config.latent_dim + config.style_dim)
        self.encoder = Encoder(shape, channels=config.channels, levels=config.levels, outputs=outputs)
        self.prior = nn.Sequential(
            nn.Linear(config.style_dim, HIDDEN),
            nn.SiLU(),
            nn.Linear(HIDDEN, 2 * config.clusters * config.latent_dim),
        )

    def posteriors(self, x: Tensor) -> tuple[Gaussian, Gaussian]:
        """Return q(z | x), (B, D) each, and q(w | x), (B, S) each."""
        z, w = self.encoder(x).tensor_split([2 * self.z_dim], dim=1)
        return _gaussian(z), _gaussian(w)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (B, D) of z."""
        return self.posteriors(x)[0]

    def divergence(self, x: Tensor) -> Tensor:
        """Return all three divergences together (B,), in nats, at the posteriors' means."""
        z, w = self.posteriors(x)
        return torch.stack(self.terms(z, w, z.mean, w.mean)).sum(dim=0)

    def bound(self, x: Tensor, masks: Tensor) -> Tensor:
        """Return the negative evidence lower bound (B,) at the posteriors' means, in nats."""
        z, w = self.posteriors(x)
        divergence = torch.stack(self.terms(z, w, z.mean, w.mean)).sum(dim=0)
        return self.negative_log_likelihood(x, masks, self.decoder(z.mean)) + divergence

    def terms(self, z: Gaussian, w: Gaussian, z_drawn: Tensor, w_drawn: Tensor) -> tuple[Tensor, ...]:
        """Return the divergences of z, w and c from their priors, (B,) each, in nats.

        Dilokthanakul et al. (2016), eq. 6: the conditional prior, w's and c's term; the first is weighed by
        the clusters' posterior at the draws, p(c | z, w).
        """
        parameters = self.prior(w_drawn).view(len(w_drawn), self.clusters, 2 * self.z_dim)
        cluster = _gaussian(parameters)
        membership = _log_density(z_drawn[:, None], cluster).log_softmax(dim=1)
        each = _divergence(Gaussian(z.mean[:, None], z.log_variance[:, None]), cluster)
        of_z = (membership.exp() * each).sum(dim=1)
        of_c = (membership.exp() * (membership + log(self.clusters))).sum(dim=1)
        return of_z, kl_to_standard_normal(*w), of_c

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Negative evidence lower bound in nats a voxel, one draw an item."""
        z, w = self.posteriors(batch.values)
        z_drawn, w_drawn = draw_gaussian(*z, generator), draw_gaussian(*w, generator)
        negative_log_likelihood = self.negative_log_likelihood(
            batch.values, batch.masks, self.decoder(z_drawn)
        ).mean()
        of_z, of_w, of_c = self.terms(z, w, z_drawn, w_drawn)
        information = of_c.clamp(min=self.least_information)
        total = (negative_log_likelihood + (of_z + of_w + information).mean()) / self.n_voxels
        parts = {
            "negative_log_likelihood": negative_log_likelihood,
            "conditional": of_z,
            "style": of_w,
            "cluster": of_c,
        }
        return Loss(total, {name: part.detach().mean() for name, part in parts.items()})


@register(
    "gmvae",
    family="autoencoder",
    dims=(2, 3),
    paper="Dilokthanakul et al., Deep unsupervised clustering with Gaussian mixture variational "
    "autoencoders, arXiv:1611.02648; for lesions You et al., Unsupervised lesion detection via image "
    "restoration with a normative prior, MIDL 2019",
    limit="Clusters may fall together into one; what is left then is a VAE with a longer training.",
)
class GMVAE(VAE):
    """Variational autoencoder whose prior is a mixture of Gaussians.

    It allows for healthy scans of several kinds. Offers what `VAE` does.

    Parameters
    ----------
    config : GMVAEConfig, optional
        Parameters of the method, listed by `help(GMVAE.Config)`; the defaults if not given.

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
    >>> sizes = {"clusters": 2, "channels": 2, "levels": 1, "latent_dim": 4, "epochs": 1}
    >>> detector = medunsup.Detector(model="gmvae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.encode(values, mask).shape
    (1, 4)
    """

    Config = GMVAEConfig
    learner_: GMVAELearner

    def build(self, shape: Sequence[int]) -> GMVAELearner:
        """Make encoder, decoder and prior."""
        return GMVAELearner(shape, self.config)


def _gaussian(parameters: Tensor) -> Gaussian:
    mean, log_variance = parameters.chunk(2, dim=-1)
    return Gaussian(mean, log_variance.clamp(*LOG_VARIANCE))


def _log_density(x: Tensor, gaussian: Gaussian) -> Tensor:
    """Log density summed over the last axis, but for a constant."""
    distance = (x - gaussian.mean).square() * (-gaussian.log_variance).exp()
    return -0.5 * (distance + gaussian.log_variance).sum(dim=-1)


def _divergence(first: Gaussian, second: Gaussian) -> Tensor:
    """Kullback-Leibler divergence of the first from the second, summed over the last axis."""
    distance = (first.mean - second.mean).square() + first.log_variance.exp()
    each = distance * (-second.log_variance).exp() - 1 + second.log_variance - first.log_variance
    return 0.5 * each.sum(dim=-1)
