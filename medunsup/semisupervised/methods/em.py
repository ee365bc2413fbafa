"""EM of a mixture of Gaussians, one a class, in which few rows know their class."""

from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

from medunsup.core.registry import register
from medunsup.semisupervised.features import UNLABELLED, FeatureClassifier, FeatureConfig, Floats, Labels


class EMConfig(FeatureConfig):
    """Parameters of the class-conditional mixture."""

    covariance: Literal["shared", "diagonal"] = Field(
        "shared", description="one full covariance of all classes, or a variance a feature of each class"
    )
    unlabelled_weight: float = Field(
        1.0, ge=0, le=1, description="what an unlabelled row counts; 0 learns from labelled rows alone"
    )
    prior_rows: float = Field(
        2.0,
        gt=0,
        description="rows that the prior of a covariance counts as: the identity, of standardised rows",
    )
    threshold: float = Field(0.95, gt=0, lt=1, description="probability from which a row counts as covered")
    rounds: int = Field(200, ge=1, description="most rounds of EM")
    tolerance: float = Field(1e-6, ge=0, description="gain of the objective a row at which it ends")


class Mixture(NamedTuple):
    """Log shares (K,), means (K, D), covariance (D, D) or variances (K, D)."""

    log_shares: Floats
    means: Floats
    spread: Floats


@register(
    "em",
    family="features",
    dims=(2, 3),
    paper="Nigam et al., Text classification from labeled and unlabeled documents using EM, Machine Learning "
    "39, 2000",
    limit="Where a class is no single Gaussian, unlabelled rows pull the borders to the wrong place.",
)
class EM(FeatureClassifier):
    """A Gaussian of each class, fitted to labelled and unlabelled rows together.

    Starts from the labelled rows. Labelled rows keep their class, unlabelled ones take part in all classes by
    their probabilities, `unlabelled_weight` as much. Each round raises `objective_`, the log-posterior of the
    parameters: class shares have Laplace's prior, covariances an inverse Wishart one.

    Parameters
    ----------
    config : EMConfig, optional
        Parameters of the method, listed by `help(EM.Config)`; the defaults if not given.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The classes, sorted.
    coverage_ : float
        Share of the unlabelled rows whose class is told with a probability of `threshold` or more.
    n_features_in_ : int
        Number of features.
    objective_ : list of float
        Log-posterior before each round; it never falls.
    mixture_ : Mixture
        Log shares, means and spread, of standardised features.

    Examples
    --------
    >>> from medunsup.semisupervised import EM
    >>> method = EM().fit([[0.0], [0.1], [0.9], [1.0]], [0, -1, -1, 1])
    >>> method.predict([[0.2], [0.8]])
    array([0, 1])
    """

    Config = EMConfig
    objective_: list[float]
    mixture_: Mixture

    def _fit(self, rows: Floats, targets: Labels) -> float:
        config, unknown = self.config, targets == UNLABELLED
        known = np.eye(targets.max() + 1)[targets] * ~unknown[:, None]
        weights = np.where(unknown, config.unlabelled_weight, 1.0)
        self.mixture_, self.objective_ = self._maximised(rows, known), []
        for _ in range(config.rounds):
            joint = self._joint(rows)
            total = logsumexp(joint, axis=1)
            fit = np.where(unknown, total, (joint * known).sum(axis=1))
            self.objective_.append(float(weights @ fit + self._log_prior()))
            gain = self.objective_[-1] - self.objective_[-2] if len(self.objective_) > 1 else np.inf
            if gain <= config.tolerance * len(rows):
                break
            parts = np.where(unknown[:, None], np.exp(joint - total[:, None]), known)
            self.mixture_ = self._maximised(rows, weights[:, None] * parts)
        sure = self._probabilities(rows).max(axis=1) >= config.threshold
        return float(sure[unknown].mean()) if unknown.any() else 1.0

    def _probabilities(self, rows: Floats) -> Floats:
        joint = self._joint(rows)
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))

    def _maximised(self, rows: Floats, parts: Floats) -> Mixture:
        """M step: the parameters of highest posterior, where row n takes part (N, K) in each class."""
        counts, prior = parts.sum(axis=0), self.config.prior_rows
        means = parts.T @ rows / counts[:, None]
        if self.config.covariance == "diagonal":
            squares = np.stack([part @ (rows - mean) ** 2 for part, mean in zip(parts.T, means, strict=True)])
            spread = (squares + prior) / (counts[:, None] + prior)
        else:
            residuals = [
                (rows - mean) * np.sqrt(part)[:, None] for part, mean in zip(parts.T, means, strict=True)
            ]
            scatter = sum((one.T @ one for one in residuals), prior * np.eye(rows.shape[1]))
            spread = scatter / (counts.sum() + prior)
        return Mixture(np.log((counts + 1) / (counts + 1).sum()), means, spread)

    def _joint(self, rows: Floats) -> Floats:
        """Log of share times density (N, K)."""
        log_shares, means, spread = self.mixture_
        if self.config.covariance == "diagonal":
            squares = [((rows - m) ** 2 / v).sum(axis=1) for m, v in zip(means, spread, strict=True)]
            return log_shares - 0.5 * (np.stack(squares, axis=1) + np.log(2 * np.pi * spread).sum(axis=1))
        factor = cho_factor(spread, lower=True)
        steps = [rows - mean for mean in means]
        squares = [(step * cho_solve(factor, step.T).T).sum(axis=1) for step in steps]
        log_det = 2 * np.log(np.diag(factor[0])).sum() + len(spread) * np.log(2 * np.pi)
        return log_shares - 0.5 * (np.stack(squares, axis=1) + log_det)

    def _log_prior(self) -> float:
        """Log-density of the parameters, but for a constant."""
        log_shares, _, spread = self.mixture_
        if self.config.covariance == "diagonal":
            penalty = (np.log(spread) + 1 / spread).sum()
        else:
            penalty = np.linalg.slogdet(spread)[1] + np.trace(np.linalg.inv(spread))
        return float(log_shares.sum() - 0.5 * self.config.prior_rows * penalty)
