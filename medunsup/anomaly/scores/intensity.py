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

    tail: Literal["high", "low"] = Field("high", description="which intensities are anomalous")
    median_size: int = Field(3, ge=1, le=9, description="side of the median's cube in voxels; 1: none")
    channel: int = Field(0, ge=0, description="which channel is ranked")


@register(
    "intensity",
    family="baseline",
    dims=(2, 3),
    paper="Meissen et al. (2021), Challenging current semi-supervised anomaly segmentation methods for brain "
    "MRI. BrainLes.",
    limit="Works where the contrast does the work, such as lesions on FLAIR; says nothing about place.",
)
class Intensity(Score):
    """Rank of each voxel's intensity among the mask's, in (0, 1], then a median; ties share their rank."""

    Config = IntensityConfig
    config: IntensityConfig
    needs = ()

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map; see `Score.map`. It needs no model."""
        sign = 1 if self.config.tail == "high" else -1
        ranks = np.zeros(mask.shape, np.float32)
        ranks[mask] = rankdata(sign * values[self.config.channel][mask]) / max(mask.sum(), 1)
        return median(ranks, mask, self.config.median_size)
