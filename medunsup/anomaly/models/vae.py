"""Variational autoencoder: a density of healthy scans, with all that can be asked of it."""

from collections.abc import Callable, Sequence
from math import log, pi, prod

import torch
from pydantic import Field
from torch import Tensor

from medunsup.anomaly.deep import DeepConfig, DeepModel
from medunsup.core.registry import register
from medunsup.nn.autoencoder import Decoder, Encoder
from medunsup.nn.losses import kl_to_standard_normal, total_variation
from medunsup.nn.noise import draw_gaussian
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Array, Mask

LOG_VARIANCE = (-10.0, 10.0)


class VAEConfig(DeepConfig):
    """Parameters of the variational autoencoder."""

    latent_dim: int = Field(128, ge=1, le=4096, description="latent variables of a slice or volume")
    residual_sd: float = Field(
        0.1,
        gt=0,
        le=1,
        description="standard deviation of voxels about the decoded mean, in units of intensity (the "
        "brain is about [0, 1])",
    )
    restore_steps: int = Field(
        50, ge=1, le=1000, description="gradient steps of `restore` towards the most likely scan"
    )
    restore_rate: float = Field(
        0.2, gt=0, le=1, description="size of these steps, as a share of the residual variance"
    )
    restore_variation: float = Field(
        3.0, ge=0, description="weight of the total variation of the change that `restore` makes"
    )


class VAELearner(Learner):
    """Encoder to mean and log variance, decoder to the voxels' mean.

    The loss is the negative evidence lower bound in nats a voxel; `beta` weighs the divergence.
    """

    def __init__(self, shape: Sequence[int], config: VAEConfig, *, beta: float = 1.0) -> None:
        super().__init__()
        size = {"channels": config.channels, "levels": config.levels}
        self.encoder = Encoder(shape, **size, outputs=2 * config.latent_dim)
        self.decoder = Decoder(shape, **size, inputs=config.latent_dim)
        self.config, self.beta, self.n_voxels = config, beta, prod(shape)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (B, D) of the latents."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance.clamp(*LOG_VARIANCE)

    def reconstruct(self, x: Tensor, masks: Tensor) -> Tensor:
        """Decode the posterior mean, 0 outside the masks."""
        return self.decoder(self.posterior(x)[0]) * masks

    def draw(self, x: Tensor, masks: Tensor, generator: torch.Generator) -> Tensor:
        """Decode latents drawn from the posterior, 0 outside the masks."""
        return self.decoder(draw_gaussian(*self.posterior(x), generator)) * masks

    def divergence(self, x: Tensor) -> Tensor:
        """Return the divergence of the posterior from the prior (B,), in nats."""
        return kl_to_standard_normal(*self.posterior(x))

    def negative_log_likelihood(self, x: Tensor, masks: Tensor, decoded: Tensor) -> Tensor:
        """Return the negative log likelihood (B,) of the voxels inside the masks, in nats."""
        variance = self.config.residual_sd**2
        each = ((x - decoded).square() / variance + log(2 * pi * variance)) * masks
        return 0.5 * each.flatten(1).sum(dim=1)

    def bound(self, x: Tensor, masks: Tensor) -> Tensor:
        """Return the negative evidence lower bound (B,) at the posterior mean, in nats."""
        mean, log_variance = self.posterior(x)
        return self.negative_log_likelihood(x, masks, self.decoder(mean)) + kl_to_standard_normal(
            mean, log_variance
        )

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: encoder and decoder together."""
        return [Objective("elbo", self.parameters, self.loss, Adam(self.config.learning_rate))]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Negative evidence lower bound, one draw an item (Kingma & Welling, ICLR 2014, eq. 3)."""
        mean, log_variance = self.posterior(batch.values)
        decoded = self.decoder(draw_gaussian(mean, log_variance, generator))
        negative_log_likelihood = self.negative_log_likelihood(batch.values, batch.masks, decoded).mean()
        divergence = kl_to_standard_normal(mean, log_variance).mean()
        total = (negative_log_likelihood + self.beta * divergence) / self.n_voxels
        return Loss(
            total,
            {"negative_log_likelihood": negative_log_likelihood.detach(), "divergence": divergence.detach()},
        )


@register(
    "vae",
    family="autoencoder",
    dims=(2, 3),
    paper="Kingma & Welling, Auto-encoding variational Bayes, ICLR 2014, arXiv:1312.6114; restoration after "
    "Chen et al., Unsupervised lesion detection via image restoration with a normative prior, "
    "Medical Image Analysis 2020, doi:10.1016/j.media.2020.101713",
    limit="Blurred reconstructions; its likelihood mirrors contrast and noise as much as health.",
)
class VAE(DeepModel):
    """Variational autoencoder with a dense Gaussian bottleneck.

    It learns a density of healthy scans. Offers `reconstruct`, `sample`, `encode`, `gradient` (of the
    Kullback-Leibler divergence) and `restore` (maximum a posteriori).

    Parameters
    ----------
    config : VAEConfig, optional
        Parameters of the method, listed by `help(VAE.Config)`; the defaults if not given.

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
    >>> detector = medunsup.Detector(model="vae", score="kl_gradient", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.sample(values, mask, n=3, seed=0).shape
    (3, 1, 16, 16, 1)
    """

    Config = VAEConfig
    learner_: VAELearner

    def build(self, shape: Sequence[int]) -> VAELearner:
        """Make encoder and decoder."""
        return VAELearner(shape, self.config)

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
            Decoded posterior mean, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.apply(self.learner_.reconstruct, values, mask)

    def sample(self, values: Array, mask: Mask, *, n: int, seed: int) -> Array:
        """Return several pseudo-healthy reconstructions of one scan.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.
        n : int
            Number of draws.
        seed : int, 0 or more
            Seed of the draws.

        Returns
        -------
        ndarray of shape (n, C, I, J, K), float32
            Decoded draws from the posterior, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.drawn(self.learner_.draw, values, mask, n=n, seed=seed)

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
            Posterior mean, one row for each slice that reaches into the mask, or one for the volume.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.apply(lambda x, inside: self.learner_.posterior(x)[0], values, mask)

    def gradient(self, values: Array, mask: Mask) -> Array:
        """Return the derivative of the divergence from the prior by each voxel.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (C, I, J, K), float32
            In nats for each unit of intensity, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.

        References
        ----------
        Zimmerer et al., Unsupervised anomaly localization using variational auto-encoders, MICCAI 2019.
        """

        def slope(x: Tensor, inside: Tensor) -> Tensor:
            return _gradient(self.learner_.divergence, x) * inside

        return self.apply(slope, values, mask)

    def restore(self, values: Array, mask: Mask) -> Array:
        """Return the scan moved up its evidence lower bound by a change of low total variation.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (C, I, J, K), float32
            The most likely scan nearby (maximum a posteriori).

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.apply(self._restore, values, mask)

    def _restore(self, x: Tensor, inside: Tensor) -> Tensor:
        config, learner = self.config, self.learner_

        def unlikely(moved: Tensor) -> Tensor:
            return learner.bound(moved, inside) + config.restore_variation * total_variation(moved - x)

        moved = x
        for _ in range(config.restore_steps):
            moved = moved - config.restore_rate * config.residual_sd**2 * _gradient(unlikely, moved) * inside
        return moved


def _gradient(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        return torch.autograd.grad(function(x).sum(), x)[0]
