"""Negative residual."""

from typing import Any

import numpy as np

from medunsup.anomaly.base import Score
from medunsup.anomaly.residual import over_channels, residual
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


@register(
    "negative",
    family="residual",
    dims=(2, 3),
    paper="Baur et al. (2021), Autoencoders for unsupervised anomaly segmentation in brain MR images: a "
    "comparative study. Medical Image Analysis.",
    limit="Sees only what is darker than expected, such as lesions on T1w; bright ones are 0.",
)
class Negative(Score):
    """How much darker than the reconstruction, mean over channels."""

    Config = Config

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map; see `Score.map`."""
        return over_channels(np.maximum(-residual(model, values, mask), 0), mask)
