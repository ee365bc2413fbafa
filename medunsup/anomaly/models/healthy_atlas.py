"""Voxel-wise mean and standard deviation of healthy scans."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.base import AnomalyModel, State, check_mask
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
    """Normative model: mean and smoothed sd of each voxel over healthy scans.

    Offers `reconstruct` (the mean) and `deviation` (the voxel-wise z-score).

    Parameters
    ----------
    config : VoxelwiseConfig, optional
        Parameters of the method, listed by `help(HealthyAtlas.Config)`; the defaults if not given.

    Attributes
    ----------
    statistics_ : VoxelStatistics
        `mean` and `sd` of each voxel, (C, I, J, K) float32, and `seen`, (I, J, K) bool: the voxels that at
        least two scans cover.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> detector = medunsup.Detector(model="healthy_atlas", score="deviation")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = VoxelwiseConfig
    config: VoxelwiseConfig
    statistics_: VoxelStatistics

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Any = None) -> Self:
        """Learn from the scans one by one; validation and training are not used."""
        self.statistics_ = VoxelStatistics.of(scans, self.config)
        return self

    def reconstruct(self, values: Array, mask: Mask) -> Array:
        """Return the mean of the healthy scans.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (C, I, J, K), float32
            The scan itself where no mean is known, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        check_mask(mask, self.method_name)
        return np.where(self.statistics_.seen, self.statistics_.mean, values) * mask

    def deviation(self, values: Array, mask: Mask) -> Array:
        """Return the voxel-wise z-score, without its sign.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (I, J, K), float32
            Healthy standard deviations from the mean, mean over channels, 0 outside the mask.

        Raises
        ------
        InputError
            If the mask is empty.
        """
        check_mask(mask, self.method_name)
        return over_channels(np.abs(self.statistics_.z(values, mask)), mask)

    def state(self) -> State:
        """Return mean, spread and where they are known."""
        return self.statistics_.state()

    def load_state(self, state: Mapping[str, NDArray[Any]], shape: tuple[int, int, int, int]) -> Self:
        """Take over what `state` gave."""
        self.statistics_ = VoxelStatistics.of_state(state)
        return self
