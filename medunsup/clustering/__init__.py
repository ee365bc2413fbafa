"""Groups among rows of features: methods, how many groups there are, whether there are any; sites harmonised.

Each method is public here under the name of its class: `from medunsup.clustering import KMeans`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "Clustering": "medunsup.clustering.base",
    "ClusteringConfig": "medunsup.clustering.base",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("clustering",))
