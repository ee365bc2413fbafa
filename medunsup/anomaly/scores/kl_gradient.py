"""How strongly each voxel pulls the scan away from the prior."""

from typing import Any

import numpy as np
from pydantic import Field

from medunsup.anomaly.base import Score
from medunsup.anomaly.residual import over_channels
from medunsup.anomaly.smoothing import smooth_inside
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


class KLGradientConfig(Config):
    """Parameters of the gradient's map."""

    smoothing: float = Field(1.0, ge=0, le=10, description="Gaussian over the gradient's size, sd in voxels")


@register(
    "kl_gradient",
    family="latent",
    dims=(2, 3),
    paper="Zimmerer et al. (2019), Unsupervised anomaly localization using variational auto-encoders. "
    "MICCAI.",
    limit="Strided convolutions leave a grid in the gradient, which smoothing only hides.",
)
class KLGradient(Score):
    """Size of the Kullback-Leibler term's derivative at each voxel, smoothed, mean over channels."""

    Config = KLGradientConfig
    config: KLGradientConfig
    needs = ("gradient",)

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map; see `Score.map`."""
        size = np.abs(model.gradient(values, mask))
        return over_channels(smooth_inside(size, mask, self.config.smoothing), mask)
