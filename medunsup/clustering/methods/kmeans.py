"""K-means from several starts."""

from pydantic import Field

from medunsup.clustering.base import ClusteringConfig, Floats
from medunsup.clustering.centroids import Centroids
from medunsup.core.registry import register


class KMeansConfig(ClusteringConfig):
    """Parameters of k-means."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    n_init: int = Field(10, ge=1, description="starts; the one with the least inertia is kept")
    max_iter: int = Field(300, ge=1, description="largest number of iterations of a start")


@register(
    "kmeans",
    family="centroids",
    dims=(2, 3),
    paper="Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding. SODA.",
    limit="Clusters are taken for round and of one width: a long or a small one is cut or swallowed.",
)
class KMeans(Centroids):
    """K-means with k-means++ seeds (scikit-learn's).

    Examples
    --------
    >>> from medunsup.clustering import KMeans
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = KMeans(n_clusters=2).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = KMeansConfig

    def __init__(self, *, n_clusters: int = 2, n_init: int = 10, max_iter: int = 300, seed: int = 0) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.seed = seed

    def _centres(self, rows: Floats, n_clusters: int, config: KMeansConfig) -> Floats:
        from sklearn.cluster import KMeans as Model

        model = Model(
            n_clusters, n_init=config.n_init, max_iter=config.max_iter, random_state=config.seed
        ).fit(rows)
        self._n_iter = int(model.n_iter_)
        centres: Floats = model.cluster_centers_
        return centres
