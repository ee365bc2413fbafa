"""Variational Bayesian Gaussian mixture on intensity."""

from typing import Any

from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod, Values, soft_clusters


class BayesianGMMConfig(TextbookConfig):
    """Parameters of the Bayesian Gaussian mixture."""

    tol: float = Field(1e-4, gt=0, description="stop when the evidence bound gains less")
    variance_floor: float = Field(1e-4, gt=0, description="added to each variance, scan's variance = 1")
    concentration: float = Field(
        1.0, gt=0, description="prior pseudo-count of each class; small values let classes die out"
    )


@register(
    "bayesian_gmm",
    family="mixture",
    dims=(2, 3),
    paper="Attias (2000), A variational Bayesian framework for graphical models. NIPS 12.",
    limit="As blind to neighbours and anatomy as the plain mixture; with many voxels the prior counts for "
    "little. Its log-likelihood is the evidence lower bound without its constants.",
)
class BayesianGMM(TextbookMethod):
    """Gaussian mixture with a Dirichlet prior on the class sizes."""

    Config = BayesianGMMConfig
    config: BayesianGMMConfig

    def _fit(self, sample: Values, n_classes: int) -> Fitted:
        from sklearn.mixture import BayesianGaussianMixture

        model = BayesianGaussianMixture(
            n_components=n_classes,
            covariance_type="full",
            weight_concentration_prior_type="dirichlet_distribution",
            weight_concentration_prior=self.config.concentration,
            tol=self.config.tol,
            reg_covar=self.config.variance_floor,
            max_iter=self.config.max_iter,
            random_state=self.config.seed,
        )
        return soft_clusters(model.fit(sample), n_voxels=len(sample))

    def _probabilities(self, model: Any, values: Values) -> Values:
        return model.predict_proba(values)
