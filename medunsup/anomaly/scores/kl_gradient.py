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

    smoothing: float = Field(
        1.0, ge=0, le=10, description="Gaussian over the gradient's absolute value, sd in voxels"
    )


@register(
    "kl_gradient",
    family="latent",
    dims=(2, 3),
    paper="Zimmerer et al. (2019), Unsupervised anomaly localization using variational auto-encoders. "
    "MICCAI.",
    limit="Strided convolutions leave a grid in the gradient, which smoothing only hides.",
)
class KLGradient(Score):
    """Size of the Kullback-Leibler term's derivative at each voxel, smoothed, mean over channels.

    Needs a model that offers `gradient`.

    Parameters
    ----------
    config : KLGradientConfig, optional
        Parameters of the method, listed by `help(KLGradient.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    >>> sizes = {"channels": 2, "levels": 1, "latent_dim": 4, "epochs": 1}
    >>> detector = medunsup.Detector(model="vae", score="kl_gradient", model_params=sizes)
    >>> detector.fit(healthy).score_map(healthy).shape
    (4, 16, 16)
    """

    Config = KLGradientConfig
    config: KLGradientConfig
    needs = ("gradient",)

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the smoothed size of the gradient (I, J, K), 0 outside the mask."""
        size = np.abs(model.gradient(values, mask))
        return over_channels(smooth_inside(size, mask, self.config.smoothing), mask)
