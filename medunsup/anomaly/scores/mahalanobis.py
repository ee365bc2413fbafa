"""Distance of a scan from several pseudo-healthy reconstructions of it."""

from typing import Any

import numpy as np
from pydantic import Field

from medunsup.anomaly.base import Score
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


class MahalanobisConfig(Config):
    """Parameters of the distance."""

    n: int = Field(8, ge=2, le=200, description="reconstructions drawn from the model")
    floor: float = Field(
        0.05,
        gt=0,
        description="standard deviation that every voxel has at least, in units of intensity (the brain "
        "is about [0, 1])",
    )
    seed: int = Field(0, ge=0, description="seed of the draws")


@register(
    "mahalanobis",
    family="residual",
    dims=(2, 3),
    paper="Behrendt et al. (2024), Leveraging the Mahalanobis distance to enhance unsupervised brain MRI "
    "anomaly detection. MICCAI.",
    limit="As good as the spread of the draws: where they all agree, the floor decides.",
)
class Mahalanobis(Score):
    """Mahalanobis distance of each voxel's channels from their distribution over several reconstructions.

    Needs a model that offers `sample`.

    Parameters
    ----------
    config : MahalanobisConfig, optional
        Parameters of the method, listed by `help(Mahalanobis.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> detector = medunsup.Detector(model="pca", score="mahalanobis")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = MahalanobisConfig
    config: MahalanobisConfig
    needs = ("sample",)

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the distance (I, J, K) of each voxel, 0 outside the mask."""
        drawn = model.sample(values, mask, n=self.config.n, seed=self.config.seed)[..., mask]
        mean = drawn.mean(axis=0)
        apart = (drawn - mean).astype(np.float64)
        covariance = np.einsum("ncv,ndv->vcd", apart, apart) / (self.config.n - 1)
        covariance += self.config.floor**2 * np.eye(len(values))
        off = (values[:, mask] - mean).T.astype(np.float64)
        squared = np.einsum("vc,vc->v", off, np.linalg.solve(covariance, off[..., None])[..., 0])
        out = np.zeros(mask.shape, np.float32)
        out[mask] = np.sqrt(squared)
        return out
