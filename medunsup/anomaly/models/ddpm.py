"""Patched diffusion model: each patch is denoised with the healthy rest of the scan in view."""

from collections.abc import Sequence
from math import pi

import torch
from pydantic import Field
from torch import Tensor

from medunsup.anomaly.deep import SAMPLE_SEED, DeepConfig, DeepModel
from medunsup.core.registry import register
from medunsup.nn.losses import inside_mean
from medunsup.nn.noise import normal
from medunsup.nn.unet import UNet
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Array, Mask


class DDPMConfig(DeepConfig):
    """Parameters of the patched diffusion model."""

    patches: int = Field(
        2, ge=1, le=16, description="patches along each axis; they are denoised one after the other"
    )
    time: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="share of the way into the noise that a patch is sent; at 1 nothing of it is left",
    )


class DDPMLearner(Learner):
    """U-Net that sees noise in one patch of a scan and predicts the patch without it.

    The noise's share of each voxel is an input channel, 0 outside the patch: it tells the network both the
    time and the place. `cells` numbers the patches of the grid (1, 1, ...).
    """

    cells: Tensor

    def __init__(self, shape: Sequence[int], config: DDPMConfig) -> None:
        super().__init__()
        sides = shape[1:]
        self.network = UNet(
            len(sides), shape[0] + 1, shape[0], channels=config.channels, levels=config.levels
        )
        self.config, self.n_cells = config, config.patches ** len(sides)
        self.register_buffer("cells", _cells(sides, config.patches), persistent=False)

    def objectives(self) -> Sequence[Objective]:
        """One objective: the U-Net."""
        return [Objective("denoising", self.parameters, self.loss, Adam(self.config.learning_rate))]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean absolute error in one patch an item, at a time drawn for each."""
        x, each = batch.values, (len(batch.values), *[1] * (batch.values.ndim - 1))
        cell = torch.randint(self.n_cells, each, generator=generator, device=x.device)
        time = torch.rand(each, generator=generator, device=x.device, dtype=x.dtype)
        box = (self.cells == cell) & batch.masks
        error = self._denoised(x, box, time, normal(x.shape, x, generator)) - x
        return Loss(inside_mean(error.abs(), box), {})

    def draw(self, x: Tensor, masks: Tensor, generator: torch.Generator) -> Tensor:
        """Send each patch in turn into the noise and back, and lay the patches side by side."""
        noise = normal(x.shape, x, generator)
        time = x.new_tensor(self.config.time)
        made = torch.zeros_like(x)
        for cell in range(self.n_cells):
            box = (self.cells == cell) & masks
            made = torch.where(box, self._denoised(x, box, time, noise), made)
        return made

    def reconstruct(self, x: Tensor, masks: Tensor) -> Tensor:
        """Return one draw, always of the same noise."""
        return self.draw(x, masks, torch.Generator(x.device).manual_seed(SAMPLE_SEED))

    def _denoised(self, x: Tensor, box: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        """Predict the scan from a mix with noise in the box; cosine schedule (Nichol & Dhariwal 2021)."""
        kept, noisy = torch.cos(0.5 * pi * time), torch.sin(0.5 * pi * time)
        mixed = torch.where(box, kept * x + noisy * noise, x)
        return self.network(torch.cat([mixed, noisy * box], dim=1))


@register(
    "ddpm",
    family="diffusion",
    dims=(2, 3),
    paper="Behrendt et al., Patched diffusion models for unsupervised anomaly detection in brain MRI, "
    "MIDL 2023, arXiv:2303.03758; Ho et al., Denoising diffusion probabilistic models, NeurIPS 2020",
    limit="Made for GPUs and long training: on a CPU only small ones are practical; a lesion that reaches "
    "over a patch's edge is seen there and continued.",
)
class DDPM(DeepModel):
    """Diffusion model that denoises one patch at a time, in a single step.

    Each patch is sent into the noise and back with the rest of the scan in view. Offers `reconstruct`, always
    from the same noise, and `sample`.

    Parameters
    ----------
    config : DDPMConfig, optional
        Parameters of the method, listed by `help(DDPM.Config)`; the defaults if not given.

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
    >>> sizes = {"channels": 2, "levels": 1, "epochs": 1}
    >>> detector = medunsup.Detector(model="ddpm", score="mahalanobis", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.sample(values, mask, n=2, seed=0).shape
    (2, 1, 16, 16, 1)
    """

    Config = DDPMConfig
    learner_: DDPMLearner

    def build(self, shape: Sequence[int]) -> DDPMLearner:
        """Make the U-Net."""
        return DDPMLearner(shape, self.config)

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
            Patches that were sent into the noise and back, always the same noise, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.sample(values, mask, n=1, seed=SAMPLE_SEED)[0]

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
            Each from other noise, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.drawn(self.learner_.draw, values, mask, n=n, seed=seed)


def _cells(sides: Sequence[int], patches: int) -> Tensor:
    """Give each voxel the number of its patch, from 0: (1, 1, ...)."""
    along = [torch.arange(side) * patches // side for side in sides]
    number = torch.zeros(tuple(sides), dtype=torch.long)
    for places in torch.meshgrid(*along, indexing="ij"):
        number = number * patches + places
    return number[None, None]
