"""A mixture of Gaussians."""

from typing import Any, Literal

from numpy.typing import ArrayLike

from medunsup.clustering.mixtures import Mixture, MixtureConfig
from medunsup.core.registry import register


class GMMConfig(MixtureConfig):
    """Parameters of the mixture."""


@register(
    "gmm",
    family="mixture",
    dims=(2, 3),
    paper="Fraley and Raftery (2002), Model-based clustering, discriminant analysis, and density "
    "estimation. JASA.",
    limit="A cluster that is no Gaussian is split among several; with more features than rows posteriors "
    "are surer than they should be.",
)
class GMM(Mixture):
    """Mixture of Gaussians by expectation maximisation (scikit-learn's), with covariances of four shapes.

    Examples
    --------
    >>> from medunsup.clustering import GMM
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = GMM(n_clusters=2).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = GMMConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag",
        n_init: int = 3,
        regularisation: float = 1e-3,
        max_iter: int = 200,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.covariance_type = covariance_type
        self.n_init = n_init
        self.regularisation = regularisation
        self.max_iter = max_iter
        self.seed = seed

    def _model(self, n_clusters: int, config: GMMConfig) -> Any:
        from sklearn.mixture import GaussianMixture

        return GaussianMixture(
            n_clusters,
            covariance_type=config.covariance_type,
            n_init=config.n_init,
            reg_covar=max(config.regularisation, 1e-9),
            max_iter=config.max_iter,
            random_state=config.seed,
        )

    def bic(self, X: ArrayLike) -> float:
        """Return the Bayesian information criterion, less is better (Schwarz 1978).

        Parameters
        ----------
        X : array-like of shape (M, D)
            Features, as they were fitted.

        Returns
        -------
        float
            The criterion in nats, of features brought to a mean variance of 1.

        Raises
        ------
        ArrayError
            If a feature is not finite.
        """
        return float(self._mixture.bic(self._scaled(self._rows_of(X))))

    def aic(self, X: ArrayLike) -> float:
        """Return Akaike's information criterion, less is better (Akaike 1974).

        Parameters
        ----------
        X : array-like of shape (M, D)
            Features, as they were fitted.

        Returns
        -------
        float
            The criterion in nats, of features brought to a mean variance of 1.

        Raises
        ------
        ArrayError
            If a feature is not finite.
        """
        return float(self._mixture.aic(self._scaled(self._rows_of(X))))
