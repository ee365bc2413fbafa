"""K-means on intensity."""

from typing import Any

from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod, Values, hard_clusters, one_hot


class KMeansConfig(TextbookConfig):
    """Parameters of k-means."""

    n_init: int = Field(4, ge=1, description="starts; the one with the least inertia is kept")


@register(
    "kmeans",
    family="clustering",
    dims=(2, 3),
    paper="Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding. SODA.",
    limit="Clusters of equal width: a small class such as CSF borrows voxels from its neighbour; "
    "the probabilities are 0 and 1.",
)
class KMeans(TextbookMethod):
    """K-means with k-means++ seeds.

    It sees intensities alone: no prior, no neighbours, no bias field, no partial volume.
    Probabilities are 0 and 1.

    Parameters
    ----------
    config : KMeansConfig, optional
        Parameters of the method, listed by `help(KMeans.Config)`; the defaults if not given.

    Attributes
    ----------
    posterior_ : ndarray of shape (K, I, J, K'), float32
        Probability of each tissue, in the order of the input's labels; sums to 1 inside the mask, 0 outside.
    fractions_ : ndarray of shape (K, I, J, K'), float32
        The same: partial volume is not modelled.
    labels_ : ndarray of shape (I, J, K'), uint8
        `Label.index` of the winning tissue (GM 1, WM 2, CSF 3), 0 outside the mask.
    entropy_ : ndarray of shape (I, J, K'), float32
        Normalised entropy of the posterior, in [0, 1].
    bias_field_ : None
        Not modelled.
    outlier_ : None
        Not modelled.
    components_ : tuple of Component
        The fitted Gaussians, in the units of the intensities given.
    log_likelihood_ : tuple of float
        One value: the mean log-likelihood of the voxels given their clusters, in nats a voxel.
    n_iter_ : int
        Iterations run.
    converged_ : bool
        Whether the tolerance was met.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.tissue import TISSUES, KMeans, TissueInput
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (1, 30, 10, 10))
    >>> scan = np.repeat([0.2, 0.5, 0.8], 10)[:, None, None] + noise  # CSF, GM, WM, as in T1w
    >>> mask = np.ones(scan.shape[1:], bool)
    >>> data = TissueInput(scan.astype(np.float32), mask, (1.0, 1.0, 1.0), ("T1w",), TISSUES)
    >>> KMeans().fit(data).labels_[[0, 15, 25], 0, 0].tolist()
    [3, 1, 2]
    """

    Config = KMeansConfig
    config: KMeansConfig

    def _fit(self, sample: Values, n_classes: int) -> Fitted:
        from sklearn.cluster import KMeans as Model

        model = Model(
            n_classes,
            init="k-means++",
            n_init=self.config.n_init,
            max_iter=self.config.max_iter,
            random_state=self.config.seed,
        )
        return hard_clusters(model.fit(sample), sample, n_classes)

    def _probabilities(self, model: Any, values: Values) -> Values:
        return one_hot(model, values)
