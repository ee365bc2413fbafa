"""K-means fitted on small random batches."""

from pydantic import Field

from medunsup.clustering.base import ClusteringConfig, Floats
from medunsup.clustering.centroids import Centroids
from medunsup.core.registry import register


class MiniBatchKMeansConfig(ClusteringConfig):
    """Parameters of mini-batch k-means."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    n_init: int = Field(10, ge=1, description="starts compared on a sample; the best one is fitted")
    batch_size: int = Field(1_024, ge=1, description="rows in a batch")
    max_iter: int = Field(100, ge=1, description="largest number of passes over the rows")


@register(
    "minibatch_kmeans",
    family="centroids",
    dims=(2, 3),
    paper="Sculley (2010), Web-scale k-means clustering. WWW.",
    limit="Stops near, not at, the optimum of k-means; worth it only when rows are very many.",
)
class MiniBatchKMeans(Centroids):
    """K-means from mini-batches: less time, nearly the same clusters (scikit-learn's).

    Examples
    --------
    >>> from medunsup.clustering import MiniBatchKMeans
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = MiniBatchKMeans(n_clusters=2).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = MiniBatchKMeansConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        n_init: int = 10,
        batch_size: int = 1_024,
        max_iter: int = 100,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.seed = seed

    def _centres(self, rows: Floats, n_clusters: int, config: MiniBatchKMeansConfig) -> Floats:
        from sklearn.cluster import MiniBatchKMeans as Model

        model = Model(
            n_clusters,
            n_init=config.n_init,
            batch_size=config.batch_size,
            max_iter=config.max_iter,
            random_state=config.seed,
        )
        centres: Floats = model.fit(rows).cluster_centers_
        self._n_iter = int(model.n_iter_)
        return centres
