"""All voxels alike."""

from typing import Any

from medunsup.anomaly.base import Score
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


@register(
    "chance",
    family="baseline",
    dims=(2, 3),
    paper="Davis and Goadrich (2006), The relationship between precision-recall and ROC curves. ICML.",
    limit="Knows nothing: its average precision is the share of lesion in the mask.",
)
class Chance(Score):
    """1 in the mask: what any score has to beat.

    Needs no model.

    Parameters
    ----------
    config : Config, optional
        Parameters of the method, listed by `help(Chance.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> scans = np.random.default_rng(0).random((4, 16, 16)) + 0.1
    >>> found = medunsup.Detector(score="chance").fit(scans).score_map(scans)
    >>> bool((found == 1).all())
    True
    """

    Config = Config
    needs = ()

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return 1 in the mask (I, J, K), 0 outside; the model may be None."""
        return mask.astype("float32")
