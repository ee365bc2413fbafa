"""Difference of left and right: a baseline that needs no model."""

from typing import Any

import numpy as np
from pydantic import Field

from medunsup.anomaly.base import Score
from medunsup.anomaly.postprocess import median
from medunsup.anomaly.residual import over_channels
from medunsup.anomaly.smoothing import smooth_inside
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.preprocess.geometry.mirror import mirrored
from medunsup.training.scan_stack import Array, Mask

MEDIAN_SIZE = 3


class AsymmetryConfig(Config):
    """Parameters of the asymmetry."""

    smoothing: float = Field(
        1.5, ge=0, le=10, description="Gaussian over the scan before it is mirrored, sd in voxels"
    )


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

    The first axis must run from left to right, as in the template grid. Needs no model.

    Parameters
    ----------
    config : AsymmetryConfig, optional
        Parameters of the method, listed by `help(Asymmetry.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> detector = medunsup.Detector(model="healthy_atlas", score="asymmetry")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = AsymmetryConfig
    config: AsymmetryConfig
    needs = ()

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the difference (I, J, K), 0 where the mirrored voxel lies outside; the model may be None."""
        smooth = smooth_inside(values, mask, self.config.smoothing)
        middle = _middle(mask)
        partner, in_both = mirrored(smooth, middle), mask & mirrored(mask, middle)
        return median(over_channels(np.abs(smooth - partner), in_both), mask, MEDIAN_SIZE)


def _middle(mask: Mask) -> int:
    """Twice the mask's centre along the first axis, in voxels."""
    columns = mask.sum(axis=(1, 2))
    return round(2 * float((np.arange(columns.size) * columns).sum()) / max(int(columns.sum()), 1))
