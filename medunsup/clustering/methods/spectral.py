"""Spectral clustering of a graph of neighbours."""

import warnings

import numpy as np
from pydantic import Field

from medunsup.clustering.base import ClusteringConfig, Floats, Labels
from medunsup.clustering.by_neighbours import ByNeighbours
from medunsup.core.registry import register


class SpectralConfig(ClusteringConfig):
    """Parameters of spectral clustering."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    n_neighbors: int = Field(10, ge=1, description="neighbours of a row in the graph")
    n_init: int = Field(10, ge=1, description="starts of k-means on the eigenvectors")


@register(
    "spectral",
    family="graph",
    dims=(2, 3),
    paper="Ng, Jordan and Weiss (2001), On spectral clustering: analysis and an algorithm. NeurIPS.",
    limit="Clusters that a few rows join become one; memory grows with the square of the rows.",
)
class Spectral(ByNeighbours):
    """K-means on the eigenvectors of a graph of nearest neighbours (scikit-learn's).

    New rows are assigned by the 5 nearest fitted rows.

    Examples
    --------
    >>> from medunsup.clustering import Spectral
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = Spectral(n_clusters=2, n_neighbors=3).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = SpectralConfig

    def __init__(
        self, *, n_clusters: int = 2, n_neighbors: int = 10, n_init: int = 10, seed: int = 0
    ) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors
        self.n_init = n_init
        self.seed = seed

    def _labels(self, rows: Floats, n_clusters: int, config: SpectralConfig) -> Labels:
        from sklearn.cluster import spectral_clustering
        from sklearn.neighbors import kneighbors_graph

        neighbours = min(config.n_neighbors, len(rows) - 1)
        graph = kneighbors_graph(rows, neighbours, include_self=False).toarray()
        graph = (graph + graph.T) / 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a graph in parts: those are clusters
            warnings.simplefilter("ignore", RuntimeWarning)
            labels = spectral_clustering(
                graph, n_clusters=n_clusters, n_init=config.n_init, random_state=config.seed
            )
        return np.asarray(labels, np.int64)
