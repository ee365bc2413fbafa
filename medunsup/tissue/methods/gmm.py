"""Gaussian mixture on intensity."""

from typing import Any

from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod, Values, soft_clusters


class GMMConfig(TextbookConfig):
    """Parameters of the Gaussian mixture."""

    tol: float = Field(1e-4, gt=0, description="stop when the mean log-likelihood gains less")
    variance_floor: float = Field(1e-4, gt=0, description="added to each variance, scan's variance = 1")


@register(
    "gmm",
    family="mixture",
    dims=(2, 3),
    paper="Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm. "
    "J R Stat Soc B 39.",
    limit="Sees no neighbours and no anatomy: noise speckles the labels, a strong bias field bends them, and "
    "a class can collapse.",
)
class GMM(TextbookMethod):
    """Plain Gaussian mixture by EM, started from k-means."""

    Config = GMMConfig
    config: GMMConfig

    def _fit(self, sample: Values, n_classes: int) -> Fitted:
        from sklearn.mixture import GaussianMixture

        model = GaussianMixture(
            n_classes,
            covariance_type="full",
            tol=self.config.tol,
            reg_covar=self.config.variance_floor,
            max_iter=self.config.max_iter,
            random_state=self.config.seed,
        )
        return soft_clusters(model.fit(sample))

    def _probabilities(self, model: Any, values: Values) -> Values:
        return model.predict_proba(values)
