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
    limit="Only for models that make a map without a reconstruction; its unit is the model's.",
)
class Deviation(Score):
    """What the model itself calls unusual, such as the healthy atlas's number of standard deviations."""

    Config = Config
    needs = ("deviation",)

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map; see `Score.map`."""
        return model.deviation(values, mask)
