"""Change that makes a scan likely."""

from typing import Any

import numpy as np

from medunsup.anomaly.base import Score
from medunsup.anomaly.residual import over_channels
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


@register(
    "restoration",
    family="residual",
    dims=(2, 3),
    paper="Chen et al. (2020), Unsupervised lesion detection via image restoration with a normative prior. "
    "Medical Image Analysis.",
    limit="Slow, many gradient steps a scan; too few leave the lesion in, too many change healthy tissue.",
)
class Restoration(Score):
    """Absolute difference to the most likely scan nearby (maximum a posteriori), mean over channels.

    Needs a model that offers `restore`. In units of intensity.

    Parameters
    ----------
    config : Config, optional
        Parameters of the method, listed by `help(Restoration.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    >>> sizes = {"restore_steps": 2, "channels": 2, "levels": 1, "latent_dim": 4, "epochs": 1}
    >>> detector = medunsup.Detector(model="vae", score="restoration", model_params=sizes)
    >>> detector.fit(healthy).score_map(healthy).shape
    (4, 16, 16)
    """

    Config = Config
    needs = ("restore",)

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the absolute change (I, J, K) that made the scan likely, 0 outside the mask."""
        return over_channels(np.abs(values - model.restore(values, mask)), mask)
