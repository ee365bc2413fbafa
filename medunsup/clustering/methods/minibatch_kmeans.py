"""K-means fitted on small random batches."""

from typing import Self

import numpy as np
from pydantic import Field
from scipy.spatial.distance import cdist

from medunsup.clustering.base import ClusteringConfig, Floats, Labels
from medunsup.clustering.centroids import Centroids
from medunsup.clustering.row_order import distinct_rows, row_order
from medunsup.core.registry import register
from medunsup.reduction.streaming import SAMPLE, Batches, RowSample, checked_batches


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

    def fit_stream(self, batches: Batches) -> Self:
        """Find clusters among rows that come in batches, as many as there are.

        The rows are read three times: 20,000 evenly drawn ones give the first centres, by `KMeans`; batches
        of all rows move the centres; and each row is assigned. The rows drawn are kept as the fitted rows
        that `typicality` compares new rows with.

        Parameters
        ----------
        batches : callable
            Each call starts again at the first row and returns an iterable of arrays (n, D).

        Returns
        -------
        MiniBatchKMeans
            This method, fitted; `labels_` holds a cluster for each row of the stream, and `sample_` (S,) the
            numbers of the rows that were kept.

        Raises
        ------
        ArrayError
            If a feature is not finite, or there are fewer rows than clusters.
        UsageError
            If a parameter is out of its bounds.

        Examples
        --------
        >>> import numpy as np
        >>> from medunsup.clustering import MiniBatchKMeans
        >>> rows = np.concatenate([np.zeros((60, 2)), np.ones((40, 2))]) + np.linspace(0, 0.1, 100)[:, None]
        >>> method = MiniBatchKMeans(n_clusters=2).fit_stream(lambda: np.split(rows, 10))
        >>> np.bincount(method.labels_).tolist()
        [60, 40]
        """
        config = self.Config.parse(self.get_params(), type(self).__name__)
        sample = RowSample(SAMPLE, config.seed)
        for rows in checked_batches(batches):
            sample.add(rows)
        self.sample_, kept = sample.drawn()
        self.n_features_in_ = kept.shape[1]
        self._order = row_order(kept)
        held = kept[self._order]
        self._remarks: list[str] = []
        n_clusters = self._n_possible(config, len(held), int(distinct_rows(held)[-1]) + 1)
        self._centers = self._moved(held, n_clusters, batches, config)
        raw, inertia = self._assigned(batches)
        self._spread_out(inertia, raw.size * self.n_features_in_, float(held.var(axis=0).mean()))
        self._settle(raw, n_clusters)
        self.labels_ = self._numbered(raw)
        self._keep(held, self._numbered(self._soft(held).argmax(axis=1)))
        self.remarks_ = tuple(self._remarks)
        return self

    def typicality_of_sample(self) -> Floats:
        """Return how usual the rows are that were kept of a stream, each beside the others.

        Returns
        -------
        ndarray of shape (S,)
            One for each row of `sample_`, in (0, 1].

        Examples
        --------
        >>> import numpy as np
        >>> from medunsup.clustering import MiniBatchKMeans
        >>> rows = np.random.default_rng(0).normal(size=(100, 2))
        >>> MiniBatchKMeans(n_clusters=2).fit_stream(lambda: [rows]).typicality_of_sample().shape
        (100,)
        """
        return self._typicality_of_kept()

    def _moved(
        self, held: Floats, n_clusters: int, batches: Batches, config: MiniBatchKMeansConfig
    ) -> Floats:
        """Return centres (K, D), found in the rows held and moved by batches of all."""
        from sklearn.cluster import KMeans as First
        from sklearn.cluster import MiniBatchKMeans as Model

        first = First(n_clusters, n_init=config.n_init, max_iter=config.max_iter, random_state=config.seed)
        # Centres without rows in the first batches must stay: a file may be sorted.
        model = Model(
            n_clusters,
            init=first.fit(held).cluster_centers_,
            n_init=1,
            reassignment_ratio=0,
            random_state=config.seed,
        )
        self._n_iter = 0
        for rows in checked_batches(batches, self.n_features_in_):
            for start in range(0, len(rows), config.batch_size):
                model.partial_fit(rows[start : start + config.batch_size])
                self._n_iter += 1
        centres: Floats = model.cluster_centers_
        return centres

    def _assigned(self, batches: Batches) -> tuple[Labels, float]:
        """Return the nearest centre of each row, and the sum of squared distances to them."""
        labels, inertia = [], 0.0
        for rows in checked_batches(batches, self.n_features_in_):
            squares = cdist(rows, self._centers, "sqeuclidean")
            labels.append(squares.argmin(axis=1))
            inertia += float(squares.min(axis=1).sum())
        return np.concatenate(labels), inertia
