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
    """How much darker than the reconstruction, mean over channels.

    Needs a model that offers `reconstruct`. In units of intensity.

    Parameters
    ----------
    config : Config, optional
        Parameters of the method, listed by `help(Negative.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] -= 0.2
    >>> detector = medunsup.Detector(model="healthy_atlas", score="negative")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = Config

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return how much darker the scan is, (I, J, K), 0 outside the mask."""
        return over_channels(np.maximum(-residual(model, values, mask), 0), mask)
