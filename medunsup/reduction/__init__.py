"""Maps of tables: rows of many features placed on two or more axes.

Each method is public here under the name of its class: `from medunsup.reduction import UMAP`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "Reduction": "medunsup.reduction.base",
    "ReductionConfig": "medunsup.reduction.base",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("reduction",))
