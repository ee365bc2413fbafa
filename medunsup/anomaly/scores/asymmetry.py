"""Difference of left and right: a baseline that needs no model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.anomaly.base import Score
from medunsup.anomaly.data import Array, Mask
from medunsup.anomaly.postprocess import median
from medunsup.anomaly.residual import over_channels
from medunsup.anomaly.smoothing import smooth_inside
from medunsup.core.config import Config
from medunsup.core.registry import register

MEDIAN_SIZE = 3


class AsymmetryConfig(Config):
    """Parameters of the asymmetry."""

    smoothing: float = Field(1.5, ge=0, le=10, description="Gaussian before mirroring, sd in voxels")


@register(
    "asymmetry",
    family="baseline",
    dims=(2, 3),
    paper="Raina et al. (2020), Exploiting bilateral symmetry in brain lesion segmentation with reflective "
    "registration. BIOIMAGING.",
    limit="Both sides of a difference light up, one of them healthy; lesions on the midline or on both sides "
    "are missed.",
)
class Asymmetry(Score):
    """Absolute difference of smoothed intensities left and right of the mask's middle, median of 3³.

    The first lattice axis must run from left to right, as in the model space.
    """

    Config = AsymmetryConfig
    config: AsymmetryConfig
    needs = ()

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map, 0 where the mirrored voxel lies outside the mask; see `Score.map`."""
        smooth = smooth_inside(values, mask, self.config.smoothing)
        partner, in_both = _mirrored(smooth, mask), mask & _mirrored(mask, mask)
        return median(over_channels(np.abs(smooth - partner), in_both), mask, MEDIAN_SIZE)


def _mirrored(maps: NDArray[Any], mask: Mask) -> NDArray[Any]:
    """Swap left and right about the mask's centre, rounded to half a voxel; 0 comes in at the edge."""
    index = np.arange(mask.shape[0])
    columns = mask.sum(axis=(1, 2))
    twice_middle = round(2 * float((index * columns).sum()) / max(int(columns.sum()), 1))
    source = twice_middle - index
    is_inside = (source >= 0) & (source < index.size)
    out = np.zeros_like(maps)
    out[..., is_inside, :, :] = maps[..., source[is_inside], :, :]
    return out
