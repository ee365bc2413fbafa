"""Voxel-wise mean and standard deviation of healthy scans."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.base import AnomalyModel, State
from medunsup.anomaly.residual import over_channels
from medunsup.anomaly.voxelwise import VoxelStatistics, VoxelwiseConfig
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask, Scans


@register(
    "healthy_atlas",
    family="atlas",
    dims=(2, 3),
    paper="Seghier et al. (2008), Lesion identification using unified segmentation-normalisation models and "
    "fuzzy clustering. NeuroImage.",
    limit="Every voxel stands alone: a folded cortex that lies elsewhere than in the mean looks abnormal.",
)
class HealthyAtlas(AnomalyModel):
    """Mean and smoothed standard deviation of each voxel over healthy scans."""

    Config = VoxelwiseConfig
    config: VoxelwiseConfig
    statistics_: VoxelStatistics

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Any = None) -> Self:
        """Gather the scans one by one; see `AnomalyModel.fit`."""
        self.statistics_ = VoxelStatistics.of(scans, self.config)
        return self

    def reconstruct(self, values: Array, mask: Mask) -> Array:
        """Return the mean (C, I, J, K); the scan itself where no mean is known, 0 outside the mask."""
        return np.where(self.statistics_.seen, self.statistics_.mean, values) * mask

    def deviation(self, values: Array, mask: Mask) -> Array:
        """Return how many healthy standard deviations each voxel lies off, (I, J, K)."""
        return over_channels(np.abs(self.statistics_.z(values, mask)), mask)

    def state(self) -> State:
        """Return mean, spread and where they are known."""
        return self.statistics_.state()

    def load_state(self, state: Mapping[str, NDArray[Any]], shape: tuple[int, int, int, int]) -> Self:
        """Take over what `state` gave."""
        self.statistics_ = VoxelStatistics.of_state(state)
        return self
