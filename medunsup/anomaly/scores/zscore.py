"""Residual in standard deviations of healthy residuals."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.anomaly.base import Score, State
from medunsup.anomaly.residual import over_channels, residual
from medunsup.anomaly.smoothing import smooth_inside
from medunsup.anomaly.voxelwise import VoxelStatistics, VoxelwiseConfig
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask, Scans


class ZScoreConfig(VoxelwiseConfig):
    """Parameters of the normalised residual."""

    blur: float = Field(
        1.5,
        ge=0,
        le=10,
        description="Gaussian over the residual before all else, sd in voxels; 0 keeps fine lesions",
    )
    sides: Literal["both", "positive", "negative"] = Field(
        "both",
        description="which deviations count: brighter than expected is 'positive', darker is 'negative'",
    )


@register(
    "zscore",
    family="residual",
    dims=(2, 3),
    paper="Saase et al. (2020), Simple statistical methods for unsupervised brain anomaly detection on MRI "
    "are competitive to deep learning methods. arXiv:2011.12735.",
    limit="The usual residual is taken from the given healthy scans: if the model was trained on them it is "
    "too small, and all others look a little ill.",
)
class ZScore(Score):
    """Blurred residual minus its healthy mean, over its healthy standard deviation, voxel by voxel.

    Blurring comes first because a lesion deviates to one side while noise and misplaced folds cancel out.
    Needs a model that offers `reconstruct`. In healthy standard deviations.

    Parameters
    ----------
    config : ZScoreConfig, optional
        Parameters of the method, listed by `help(ZScore.Config)`; the defaults if not given.

    Attributes
    ----------
    statistics_ : VoxelStatistics
        Mean and sd of the blurred healthy residuals at each voxel, (C, I, J, K) float32.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> detector = medunsup.Detector(model="healthy_atlas", score="zscore")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = ZScoreConfig
    config: ZScoreConfig
    statistics_: VoxelStatistics

    def fit(self, model: Any, scans: Scans) -> Self:
        """Learn mean and spread of the residuals of healthy scans."""
        residuals = ((self._residual(model, values, mask), mask) for values, mask in scans)
        self.statistics_ = VoxelStatistics.of(residuals, self.config)
        return self

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the z-score (I, J, K) of the residual on the sides that count, 0 outside the mask."""
        z = self.statistics_.z(self._residual(model, values, mask), mask)
        sided = {"both": np.abs(z), "positive": np.maximum(z, 0), "negative": np.maximum(-z, 0)}
        return over_channels(sided[self.config.sides], mask)

    def state(self) -> State:
        """Return the statistics of healthy residuals."""
        return self.statistics_.state()

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave."""
        self.statistics_ = VoxelStatistics.of_state(state)
        return self

    def _residual(self, model: Any, values: Array, mask: Mask) -> Array:
        return smooth_inside(residual(model, values, mask), mask, self.config.blur)
