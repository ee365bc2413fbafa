"""Features of a scan: from one prepared scan to named numbers.

Each method is public here under the name of its class: `from medunsup.features import Volumes`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "Feature": "medunsup.features.base",
    "FeatureInput": "medunsup.features.base",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("feature",))
