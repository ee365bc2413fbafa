"""Gaussian mixture on intensity."""

from typing import Any

from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod, Values, soft_clusters


class GMMConfig(TextbookConfig):
    """Parameters of the Gaussian mixture."""

    tol: float = Field(
        1e-4, gt=0, description="gain in mean log-likelihood, in nats a voxel, below which the fit stops"
    )
    variance_floor: float = Field(
        1e-4, gt=0, description="added to each variance, as a share of the scan's variance"
    )


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
    """Plain Gaussian mixture by EM, started from k-means.

    It sees intensities alone: no prior, no neighbours, no bias field, no partial volume.

    Parameters
    ----------
    config : GMMConfig, optional
        Parameters of the method, listed by `help(GMM.Config)`; the defaults if not given.

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
        Mean log-likelihood in nats a voxel, one value an iteration.
    n_iter_ : int
        Iterations run.
    converged_ : bool
        Whether the tolerance was met.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.tissue import TISSUES, GMM, TissueInput
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (1, 30, 10, 10))
    >>> scan = np.repeat([0.2, 0.5, 0.8], 10)[:, None, None] + noise  # CSF, GM, WM, as in T1w
    >>> mask = np.ones(scan.shape[1:], bool)
    >>> data = TissueInput(scan.astype(np.float32), mask, (1.0, 1.0, 1.0), ("T1w",), TISSUES)
    >>> GMM().fit(data).labels_[[0, 15, 25], 0, 0].tolist()
    [3, 1, 2]
    """

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
