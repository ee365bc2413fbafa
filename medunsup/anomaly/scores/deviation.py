"""The model's own map."""

from typing import Any

from medunsup.anomaly.base import Score
from medunsup.core.config import Config
from medunsup.core.registry import register
from medunsup.training.scan_stack import Array, Mask


@register(
    "deviation",
    family="own",
    dims=(2, 3),
    paper="Seghier et al. (2008), Lesion identification using unified segmentation-normalisation models and "
    "fuzzy clustering. NeuroImage.",
    limit="Only for models that make a map of their own, with or without a reconstruction; its unit is the "
    "model's.",
)
class Deviation(Score):
    """The model's own map, such as the voxel-wise z-score of the normative model.

    Needs a model that offers `deviation`. In the model's unit.

    Parameters
    ----------
    config : Config, optional
        Parameters of the method, listed by `help(Deviation.Config)`; the defaults if not given.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> detector = medunsup.Detector(model="healthy_atlas", score="deviation")
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = Config
    needs = ("deviation",)

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the model's own map (I, J, K), 0 outside the mask."""
        return model.deviation(values, mask)
