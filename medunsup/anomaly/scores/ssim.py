"""Structural dissimilarity of scan and reconstruction."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.anomaly.base import Score
from medunsup.anomaly.residual import over_channels
from medunsup.anomaly.smoothing import smooth_inside
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask

WINDOW_SD = 3.5  # where the Gaussian window of the paper's successors ends


class SSIMConfig(Config):
    """Parameters of the structural similarity."""

    sigma: float = Field(1.5, gt=0, le=10, description="standard deviation of the Gaussian window in voxels")
    data_range: float = Field(1.0, gt=0, description="span of the brain's intensities")


@register(
    "ssim",
    family="residual",
    dims=(2, 3),
    paper="Wang et al. (2004), Image quality assessment: from error visibility to structural similarity. "
    "IEEE Transactions on Image Processing; Bergmann et al. (2019), Improving unsupervised defect "
    "segmentation by applying structural similarity to autoencoders. VISAPP.",
    limit="A blurred reconstruction is dissimilar wherever the scan has texture, healthy or not.",
)
class SSIM(Score):
    """One minus the local structural similarity in a Gaussian window inside the mask, mean over channels.

    Needs a model that offers `reconstruct`. In [0, 2].

    Parameters
    ----------
    config : SSIMConfig, optional
        Parameters of the method, listed by `help(SSIM.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> detector = medunsup.Detector(model="healthy_atlas", score="ssim")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = SSIMConfig
    config: SSIMConfig

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the dissimilarity (I, J, K), in [0, 2], 0 outside the mask."""
        reconstruction = model.reconstruct(values, mask)
        return over_channels(1 - self._similarity(values, reconstruction, mask), mask)

    def _similarity(self, values: Array, other: Array, mask: Mask) -> NDArray[np.float64]:
        def local(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return smooth_inside(x, mask, self.config.sigma, truncate=WINDOW_SD)

        c1, c2 = ((k * self.config.data_range) ** 2 for k in (0.01, 0.03))
        x, y = values.astype(np.float64), other.astype(np.float64)
        mean_x, mean_y = local(x), local(y)
        variance_x, variance_y = local(x * x) - mean_x**2, local(y * y) - mean_y**2
        covariance = local(x * y) - mean_x * mean_y
        brightness = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
        return brightness * (2 * covariance + c2) / (variance_x + variance_y + c2)
