"""Clusters merged step by step."""

from typing import Literal

import numpy as np
from pydantic import Field

from medunsup.clustering.base import ClusteringConfig, Floats, Labels
from medunsup.clustering.by_neighbours import ByNeighbours
from medunsup.core.registry import register


class AgglomerativeConfig(ClusteringConfig):
    """Parameters of agglomerative clustering."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    linkage: Literal["ward", "average", "complete", "single"] = Field(
        "ward",
        description="which clusters are merged next: those whose variance grows least, or whose rows are "
        "nearest on average, at most, or at least",
    )


@register(
    "agglomerative",
    family="hierarchy",
    dims=(2, 3),
    paper="Ward (1963), Hierarchical grouping to optimize an objective function. JASA.",
    limit="A merge is never undone; single linkage chains clusters, the others split long ones.",
)
class Agglomerative(ByNeighbours):
    """The two nearest clusters are merged until the number asked is left (scikit-learn's).

    New rows are assigned by the 5 nearest fitted rows. There is nothing random in it.

    Examples
    --------
    >>> from medunsup.clustering import Agglomerative
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = Agglomerative(n_clusters=2).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = AgglomerativeConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        linkage: Literal["ward", "average", "complete", "single"] = "ward",
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.linkage = linkage
        self.seed = seed

    def _labels(self, rows: Floats, n_clusters: int, config: AgglomerativeConfig) -> Labels:
        from sklearn.cluster import AgglomerativeClustering

        model = AgglomerativeClustering(n_clusters, linkage=config.linkage)
        return np.asarray(model.fit_predict(rows), np.int64)
