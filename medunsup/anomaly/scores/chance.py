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
    """1 in the mask: what any score has to beat."""

    Config = Config
    needs = ()

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the map; see `Score.map`. It needs no model."""
        return mask.astype("float32")
