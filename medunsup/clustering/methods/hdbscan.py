"""Clusters that stay dense over many scales."""

import numpy as np
from pydantic import Field

from medunsup.clustering.base import NOISE, ClusteringConfig, Floats, Labels
from medunsup.clustering.by_neighbours import ByNeighbours
from medunsup.clustering.row_order import sizes_order
from medunsup.core.errors import ArrayError
from medunsup.core.registry import register


class HDBSCANConfig(ClusteringConfig):
    """Parameters of HDBSCAN."""

    n_clusters: int | None = Field(
        None,
        ge=1,
        description="most clusters: rows of all but the largest become noise; no bound if not given",
    )
    min_cluster_size: int = Field(5, ge=2, description="fewest rows of a cluster")
    min_samples: int | None = Field(
        None, ge=1, description="neighbours that density is told by; min_cluster_size if not given"
    )
    allow_single_cluster: bool = Field(False, description="whether all rows may be one cluster")


@register(
    "hdbscan",
    family="density",
    dims=(2, 3),
    paper="Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density "
    "estimates. PAKDD.",
    limit="With many features densities hardly differ, and most rows become noise.",
)
class HDBSCAN(ByNeighbours):
    """Clusters that last longest while density rises; all other rows are noise (scikit-learn's).

    New rows are assigned by the 5 nearest fitted rows, noise among them. There is nothing random in it.

    Examples
    --------
    >>> from medunsup.clustering import HDBSCAN
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = HDBSCAN().fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = HDBSCANConfig
    finds_noise = True

    def __init__(
        self,
        *,
        n_clusters: int | None = None,
        min_cluster_size: int = 5,
        min_samples: int | None = None,
        allow_single_cluster: bool = False,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.allow_single_cluster = allow_single_cluster
        self.seed = seed

    def _labels(self, rows: Floats, n_clusters: int, config: HDBSCANConfig) -> Labels:
        from sklearn.cluster import HDBSCAN as MODEL

        needed = max(config.min_samples or 0, config.min_cluster_size)
        if len(rows) < needed:
            raise ArrayError(
                f"{len(rows)} rows, n_samples={len(rows)}, are fewer than the {needed} of a cluster. "
                f"Give more rows or min_cluster_size=2."
            )
        if (rows == rows[0]).all():
            self._remark("All rows are equal: they are one cluster.")
            return np.zeros(len(rows), np.int64)
        model = MODEL(
            min_cluster_size=config.min_cluster_size,
            min_samples=config.min_samples,
            allow_single_cluster=config.allow_single_cluster,
            copy=True,
        )
        labels = np.asarray(model.fit_predict(rows), np.int64)
        if (labels == NOISE).all():
            self._remark("Every row is noise: no region is denser than the rest.")
        largest = sizes_order(labels)[: config.n_clusters]
        return np.where(np.isin(labels, largest), labels, NOISE)
