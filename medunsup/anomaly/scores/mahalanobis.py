"""Distance of a scan from several healthy looks of it."""

from typing import Any

import numpy as np
from pydantic import Field

from medunsup.anomaly.base import Score
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


class MahalanobisConfig(Config):
    """Parameters of the distance."""

    n: int = Field(8, ge=2, le=200, description="reconstructions drawn")
    floor: float = Field(0.05, gt=0, description="sd that every voxel has at least, in units of intensity")
    seed: int = Field(0, ge=0, description="of the draws")


@register(
    "mahalanobis",
    family="residual",
    dims=(2, 3),
    paper="Behrendt et al. (2024), Leveraging the Mahalanobis distance to enhance unsupervised brain MRI "
    "anomaly detection. MICCAI.",
    limit="As good as the spread of the draws: where they all agree, the floor decides.",
)
class Mahalanobis(Score):
    """Mahalanobis distance of each voxel's channels from their distribution over K reconstructions."""

    Config = MahalanobisConfig
    config: MahalanobisConfig
    needs = ("sample",)

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map; see `Score.map`."""
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
