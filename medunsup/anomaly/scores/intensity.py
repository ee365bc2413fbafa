"""Rank of the intensity: the baseline that needs no model."""

from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy.stats import rankdata

from medunsup.anomaly.base import Score
from medunsup.anomaly.postprocess import median
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


class IntensityConfig(Config):
    """Parameters of the intensity rank."""

    tail: Literal["high", "low"] = Field(
        "high", description="which intensities are anomalous, the 'high' or the 'low' ones"
    )
    median_size: int = Field(
        3, ge=1, le=9, description="side of the median's cube in voxels; 1 takes no median"
    )
    channel: int = Field(0, ge=0, description="index of the channel that is ranked")


@register(
    "intensity",
    family="baseline",
    dims=(2, 3),
    paper="Meissen et al. (2021), Challenging current semi-supervised anomaly segmentation methods for brain "
    "MRI. BrainLes.",
    limit="Works where the contrast does the work, such as lesions on FLAIR; says nothing about place.",
)
class Intensity(Score):
    """Rank of each voxel's intensity among the mask's, in (0, 1], then a median; ties share their rank.

    Needs no model.

    Parameters
    ----------
    config : IntensityConfig, optional
        Parameters of the method, listed by `help(Intensity.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> detector = medunsup.Detector(model="healthy_atlas", score="intensity")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = IntensityConfig
    config: IntensityConfig
    needs = ()

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the ranks (I, J, K) in (0, 1], 0 outside the mask; the model may be None."""
        sign = 1 if self.config.tail == "high" else -1
        ranks = np.zeros(mask.shape, np.float32)
        ranks[mask] = rankdata(sign * values[self.config.channel][mask]) / max(mask.sum(), 1)
        return median(ranks, mask, self.config.median_size)
