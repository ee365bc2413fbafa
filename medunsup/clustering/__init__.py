"""Groups among rows of features: methods, how many groups there are, whether there are any; sites harmonised.

Each method is public here under the name of its class: `from medunsup.clustering import KMeans`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "Clustering": "medunsup.clustering.base",
    "ClusteringConfig": "medunsup.clustering.base",
    "ComBat": "medunsup.clustering.combat",
    "Curves": "medunsup.clustering.choosing.curves",
    "KChoice": "medunsup.clustering.choosing.choose",
    "NullComparison": "medunsup.clustering.choosing.null",
    "SiteSignal": "medunsup.clustering.harmonise",
    "choose_k": "medunsup.clustering.choosing.choose",
    "site_signal": "medunsup.clustering.harmonise",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("clustering",))
