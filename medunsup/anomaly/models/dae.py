"""Denoising autoencoder: a U-Net that takes blobs not seen in healthy scans for noise, and removes them."""

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from medunsup.anomaly.deep import DeepConfig, DeepModel
from medunsup.core.registry import register
from medunsup.nn.losses import inside_mean
from medunsup.nn.noise import coarse_noise, white_noise
from medunsup.nn.unet import UNet
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Array, Mask

NOISE = {"coarse": coarse_noise, "white": white_noise}


class DAEConfig(DeepConfig):
    """Parameters of the denoising autoencoder."""

    noise: Literal["coarse", "white"] = Field(
        "coarse", description="noise that is added: 'coarse' blobs, or 'white', each voxel on its own"
    )
    noise_sd: float = Field(
        0.2,
        gt=0,
        le=2,
        description="standard deviation of the noise, in units of intensity (the brain is about [0, 1])",
    )


class DAELearner(Learner):
    """U-Net that sees a scan with noise inside the mask and gives it without."""

    def __init__(self, shape: Sequence[int], config: DAEConfig) -> None:
        super().__init__()
        channels = shape[0]
        self.network = UNet(
            len(shape) - 1, channels, channels, channels=config.channels, levels=config.levels
        )
        self.config = config

    def reconstruct(self, x: Tensor, masks: Tensor) -> Tensor:
        """Return the scan without what looks like noise, 0 outside the masks."""
        return self.network(x) * masks

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: the U-Net."""
        return [Objective("denoising", self.parameters, self.loss, Adam(self.config.learning_rate))]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error inside the masks, from fresh noise each time."""
        make_noise = NOISE[self.config.noise]
        noise = make_noise(batch.values, batch.masks, self.config.noise_sd, generator)
        error = self.reconstruct(batch.values + noise, batch.masks) - batch.values
        return Loss(inside_mean(error.square(), batch.masks), {})


@register(
    "dae",
    family="autoencoder",
    dims=(2, 3),
    paper="Kascenas et al., Denoising autoencoders for unsupervised anomaly detection in brain MRI, "
    "MIDL 2022, PMLR 172:653-664",
    limit="Finds blobs of the noise's size; small or thin lesions, as in MS, pass through the skips.",
)
class DAE(DeepModel):
    """Denoising U-Net with skip connections, trained on coarse noise.

    It removes blobs that healthy scans do not have, as if they were noise. Offers `reconstruct`.

    Parameters
    ----------
    config : DAEConfig, optional
        Parameters of the method, listed by `help(DAE.Config)`; the defaults if not given.

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
    >>> detector = medunsup.Detector(model="dae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.reconstruct(values, mask).shape
    (1, 16, 16, 1)
    """

    Config = DAEConfig
    learner_: DAELearner

    def build(self, shape: Sequence[int]) -> DAELearner:
        """Make the U-Net."""
        return DAELearner(shape, self.config)

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
            The scan without what looks like noise, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        return self.apply(self.learner_.reconstruct, values, mask)
