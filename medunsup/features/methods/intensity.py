"""How bright the voxels of the brain are."""

from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.features.base import Feature, FeatureInput


class IntensityConfig(Config):
    """Parameters of the histogram."""

    bins: int = Field(16, ge=2, le=256, description="number of bins")
    low: float = Field(0.0, ge=-10, le=10, description="where the first bin begins; what is darker is in it")
    high: float = Field(1.0, ge=-10, le=10, description="where the last bin ends; what is brighter is in it")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        return self


@register(
    "intensity",
    family="intensity",
    dims=(2, 3),
    paper="Nyúl & Udupa (1999), On standardizing the MR image intensity scale. MRM 42(6).",
    limit="It knows nothing of where a voxel lies, and scanners differ in it: harmonise it.",
)
class Intensity(Feature):
    """Shares of the brain's voxels in bins of brightness, on the healthy scale of the scan's contrast.

    Parameters
    ----------
    config : IntensityConfig, optional
        Number and range of the bins.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.features import FeatureInput, Intensity
    >>> values = np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 4, 4, 4)
    >>> found = Intensity(Intensity.Config(bins=4)).transform(FeatureInput(values, values[0] >= 0))
    >>> found.tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    Config = IntensityConfig

    def describe(self) -> dict[str, str]:
        """Return the name of each number and how it is made."""
        edges = np.linspace(self.config.low, self.config.high, self.config.bins + 1)
        return {
            f"bin{n:03d}": f"share of the brain's voxels from {low:.4g} to {high:.4g}"
            for n, (low, high) in enumerate(pairwise(edges), start=1)
        }

    def _values(self, scan: FeatureInput) -> ArrayLike:
        low, high, bins = self.config.low, self.config.high, self.config.bins
        values = np.clip(scan.values[0][scan.mask].astype(np.float64), low, high)
        return np.histogram(values, bins=bins, range=(low, high))[0] / values.size
