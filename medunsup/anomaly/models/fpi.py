"""Foreign patches: a U-Net that finds made-up anomalies in healthy scans learns what fits together."""

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from medunsup.anomaly.deep import DeepConfig, DeepModel
from medunsup.anomaly.smoothing import smooth_inside
from medunsup.core.registry import register
from medunsup.nn.losses import inside_mean
from medunsup.nn.noise import blob_noise, blobs
from medunsup.nn.unet import UNet
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Array, Mask

LEAST_CHANGE = 0.05


class FPIConfig(DeepConfig):
    """Parameters of foreign patch interpolation."""

    foreign: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of scans that get patches of another scan; the rest get patches shifted in "
        "brightness",
    )
    shift_sd: float = Field(
        0.3,
        gt=0,
        le=2,
        description="standard deviation of these shifts, in units of intensity (the brain is about [0, 1])",
    )
    smoothing: float = Field(
        1.5,
        ge=0,
        le=10,
        description="Gaussian over the map, sd in voxels; it joins slices that are looked at one by one",
    )


class FPILearner(Learner):
    """U-Net from a scan to the log odds (B, 1, ...) that a voxel was changed."""

    def __init__(self, shape: Sequence[int], config: FPIConfig) -> None:
        super().__init__()
        self.network = UNet(len(shape) - 1, shape[0], 1, channels=config.channels, levels=config.levels)
        self.config = config

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: the U-Net."""
        return [Objective("telling", self.parameters, self.loss, Adam(self.config.learning_rate))]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Cross-entropy inside the masks, from fresh anomalies each time."""
        change = self.change(batch, generator)
        is_changed = (change.abs().amax(dim=1, keepdim=True) > LEAST_CHANGE).to(change.dtype)
        log_odds = self.network(batch.values + change)
        entropy = functional.binary_cross_entropy_with_logits(log_odds, is_changed, reduction="none")
        return Loss(inside_mean(entropy, batch.masks), {})

    def change(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Make what is added to each item: part of its difference to the next item in blobs, or a shift."""
        values, masks = batch.values, batch.masks
        each = (len(values), *[1] * (values.ndim - 1))
        coin, share = torch.rand((2, *each), generator=generator, device=values.device, dtype=values.dtype)
        difference = (values.roll(1, dims=0) - values) * masks
        foreign = share * blobs(values, generator) * difference
        shifted = blob_noise(values, masks, self.config.shift_sd, generator)
        return torch.where(coin < self.config.foreign, foreign, shifted)

    def deviation(self, x: Tensor, masks: Tensor) -> Tensor:
        """Return minus the log of the probability that nothing was changed (B, 1, ...), 0 outside."""
        return functional.softplus(self.network(x)) * masks


@register(
    "fpi",
    family="self-supervised",
    dims=(2, 3),
    paper="Tan et al. (2020), Detecting outliers with foreign patch interpolation. arXiv:2011.04197.",
    limit="Knows the anomalies it made itself: finds what looks pasted in or shifted in brightness, not what "
    "is missing or changes slowly.",
)
class FPI(DeepModel):
    """U-Net that finds foreign or shifted patches made in healthy scans.

    It learns to mark patches of other scans, and patches made brighter or darker. Offers `deviation`, the map
    of these marks.

    Parameters
    ----------
    config : FPIConfig, optional
        Parameters of the method, listed by `help(FPI.Config)`; the defaults if not given.

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
    >>> detector = medunsup.Detector(model="fpi", score="deviation", model_params=sizes)
    >>> detector.fit(healthy).score_map(healthy).shape
    (4, 16, 16)
    """

    Config = FPIConfig
    learner_: FPILearner

    def build(self, shape: Sequence[int]) -> FPILearner:
        """Make the U-Net."""
        return FPILearner(shape, self.config)

    def deviation(self, values: Array, mask: Mask) -> Array:
        """Return how sure the network is that a voxel was changed.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (I, J, K), float32
            Minus the log of the probability that it was not, smoothed, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        marks = self.apply(self.learner_.deviation, values, mask)
        return smooth_inside(marks, mask, self.config.smoothing)[0]
