"""A Dirichlet-process mixture of Gaussians."""

from typing import Any, Literal

from pydantic import Field

from medunsup.clustering.mixtures import Mixture, MixtureConfig
from medunsup.core.registry import register


class BayesianGMMConfig(MixtureConfig):
    """Parameters of the mixture."""

    n_clusters: int = Field(2, ge=1, description="clusters at most; those that hold no row are left out")
    concentration: float | None = Field(
        None,
        gt=0,
        description="of the Dirichlet process: more gives more clusters; 1 / n_clusters if not given",
    )


@register(
    "bayesian_gmm",
    family="mixture",
    dims=(2, 3),
    paper="Blei and Jordan (2006), Variational inference for Dirichlet process mixtures. Bayesian Analysis.",
    limit="How many clusters are left depends on the concentration and on n_clusters.",
)
class BayesianGMM(Mixture):
    """Mixture of Gaussians with a Dirichlet process over the weights, which empties superfluous clusters.

    scikit-learn's, by variational inference.

    Examples
    --------
    >>> from medunsup.clustering import BayesianGMM
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = BayesianGMM(n_clusters=2).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = BayesianGMMConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag",
        concentration: float | None = None,
        n_init: int = 3,
        regularisation: float = 1e-3,
        max_iter: int = 200,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.covariance_type = covariance_type
        self.concentration = concentration
        self.n_init = n_init
        self.regularisation = regularisation
        self.max_iter = max_iter
        self.seed = seed

    def _model(self, n_clusters: int, config: BayesianGMMConfig) -> Any:
        from sklearn.mixture import BayesianGaussianMixture

        return BayesianGaussianMixture(
            n_components=n_clusters,
            weight_concentration_prior_type="dirichlet_process",
            weight_concentration_prior=config.concentration,
            covariance_type=config.covariance_type,
            n_init=config.n_init,
            reg_covar=max(config.regularisation, 1e-9),
            max_iter=config.max_iter,
            random_state=config.seed,
        )
