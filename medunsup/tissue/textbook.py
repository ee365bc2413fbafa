"""What the plain textbook mixtures share: intensity alone, no prior, no neighbours, no bias field.

A subclass fits a scikit-learn model on a sample of voxels; naming the classes, predicting every voxel
and filling the maps of the contract is the same for all.
"""

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.config import Config
from medunsup.core.errors import InputError
from medunsup.tissue.base import Array, TissueInput, components_of
from medunsup.tissue.class_order import class_order
from medunsup.tissue.entropy import normalized_entropy

MIN_VOXELS_A_CLASS = 10
CHUNK_VOXELS = 1_000_000

Values = NDArray[np.float64]


class TextbookConfig(Config):
    """Parameters common to the plain methods."""

    max_voxels: int = Field(
        50_000, ge=1_000, description="voxels that the model is fitted on; all are predicted"
    )
    max_iter: int = Field(300, ge=1, description="largest number of iterations")
    seed: int = Field(0, ge=0, description="seed of every random choice")


@dataclass(frozen=True)
class Fitted:
    """A model that `TextbookMethod._fit` fitted, in standardised units.

    Parameters
    ----------
    model : object
        The fitted model, handed to `_probabilities`; it has `n_iter_`.
    weights : ndarray of shape (K,)
        Share of voxels of each class.
    means, sds : ndarray of shape (K, C)
        Mean and standard deviation of each class.
    log_likelihood : tuple of float
        Mean log-likelihood a voxel, one value an iteration.
    converged : bool
        Whether the tolerance was met.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.tissue import Fitted
    >>> Fitted(None, np.ones(1), np.zeros((1, 1)), np.ones((1, 1)), (-1.4,), converged=True).means.shape
    (1, 1)
    """

    model: Any
    weights: Values
    means: Values
    sds: Values
    log_likelihood: tuple[float, ...]
    converged: bool


class TextbookMethod(ABC):
    """Base of methods that need intensities alone: no prior, no neighbours, no bias field.

    A subclass gives `_fit` (a model of standardised voxels) and `_probabilities` (of each class); naming the
    classes by the contrast, predicting every voxel and filling the maps is done here.

    Parameters
    ----------
    config : TextbookConfig, optional
        Parameters of the method, an instance of its class's `Config`; the defaults if not given.

    Examples
    --------
    >>> from medunsup.tissue import GMM, TextbookMethod
    >>> issubclass(GMM, TextbookMethod)
    True
    """

    Config: type[TextbookConfig] = TextbookConfig
    method_name: str

    def __init__(self, config: TextbookConfig | None = None) -> None:
        self.config = config or self.Config()

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters used, as plain values."""
        return self.config.model_dump()

    def fit(self, data: TissueInput) -> Self:
        """Cluster the intensities inside the mask and name the clusters by the contrast.

        Parameters
        ----------
        data : TissueInput
            The scan.

        Returns
        -------
        TextbookMethod
            This method, fitted.

        Raises
        ------
        InputError
            If the mask holds too few voxels, or a contrast is constant or not finite there.
        """
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits

        n_classes = len(data.labels)
        sample = fit_sample(data.intensity, data.mask, n_classes, self.config.max_voxels)
        center, scale = sample.mean(axis=0), sample.std(axis=0)
        # One thread: a sample needs no more, and sums then do not depend on the number of cores.
        with warnings.catch_warnings(), threadpool_limits(limits=1):
            warnings.simplefilter("ignore", ConvergenceWarning)  # `converged_` says it
            fitted = self._fit((sample - center) / scale, n_classes)
        order = class_order(fitted.means, data.contrasts, n_classes)
        self._fill_maps(data, fitted.model, order, center, scale)
        means, sds = fitted.means[order] * scale + center, fitted.sds[order] * scale
        self.components_ = components_of(data.labels, fitted.weights[order], means, sds)
        shift = float(np.log(scale).sum())  # from standardised units back to those given
        self.log_likelihood_ = tuple(value - shift for value in fitted.log_likelihood)
        self.n_iter_ = int(fitted.model.n_iter_)
        self.converged_ = fitted.converged
        return self

    @abstractmethod
    def _fit(self, sample: Values, n_classes: int) -> Fitted:
        """Fit on standardised voxels, (N, C)."""

    @abstractmethod
    def _probabilities(self, model: Any, values: Values) -> Values:
        """Probability of each cluster, (N, K), for standardised voxels (N, C)."""

    def _fill_maps(
        self, data: TissueInput, model: Any, order: NDArray[np.intp], center: Values, scale: Values
    ) -> None:
        """Predict every voxel of the mask, a chunk at a time so that memory stays bounded."""
        n_classes = len(order)
        inside = np.flatnonzero(data.mask)
        posterior = np.zeros((n_classes, data.mask.size), dtype=np.float32)
        channels = data.intensity.reshape(len(data.intensity), -1)
        for start in range(0, inside.size, CHUNK_VOXELS):
            voxels = inside[start : start + CHUNK_VOXELS]
            values = (channels[:, voxels].T.astype(np.float64) - center) / scale
            posterior[:, voxels] = self._probabilities(model, values)[:, order].T
        self.posterior_: Array = posterior.reshape(n_classes, *data.mask.shape)
        self.fractions_ = self.posterior_
        index = np.array([label.index for label in data.labels], dtype=np.uint8)
        self.labels_ = np.where(data.mask, index[self.posterior_.argmax(axis=0)], 0).astype(np.uint8)
        self.entropy_ = normalized_entropy(self.posterior_)
        self.bias_field_ = None
        self.outlier_ = None


def fit_sample(intensity: Array, mask: NDArray[np.bool_], n_classes: int, max_voxels: int) -> Values:
    """Return at most `max_voxels` voxels of the mask, (N, C), sorted by intensity and evenly spaced in rank.

    Sorting makes the sample, and so the fit, the same however the scan is flipped or its axes permuted;
    even spacing keeps the histogram's shape.

    Raises InputError if there are too few voxels, or a contrast is constant or not finite.
    """
    values = intensity[:, mask].T.astype(np.float64)
    if len(values) < MIN_VOXELS_A_CLASS * n_classes:
        raise InputError(
            f"The mask holds {len(values)} voxels, too few for {n_classes} classes (at least "
            f"{MIN_VOXELS_A_CLASS * n_classes}). Check the mask, or ask for fewer tissues."
        )
    if not np.isfinite(values).all():
        raise InputError("The scan holds NaN or infinite values inside the mask. Mask them out first.")
    values = values[np.lexsort(values.T[::-1])]
    for channel, column in enumerate(values.T):
        if np.unique(column).size < n_classes:
            raise InputError(
                f"Contrast {channel + 1} holds fewer than {n_classes} different intensities inside the mask: "
                "there is nothing to tell tissues apart by. Check the scan and the mask."
            )
    n_kept = min(len(values), max_voxels)
    return values[np.linspace(0, len(values) - 1, n_kept).round().astype(np.intp)]


def hard_clusters(model: Any, sample: Values, n_classes: int) -> Fitted:
    """Describe the clusters of a k-means model as Gaussians.

    Its one log-likelihood is that of the voxels given their clusters (Celeux and Govaert, 1992), which a
    hard assignment maximises in closed form.
    """
    counts = np.bincount(model.labels_, minlength=n_classes).astype(float)
    weights = counts / counts.sum()
    members = [sample[model.labels_ == n] for n in range(n_classes)]
    sds = np.array([cluster.std(axis=0) for cluster in members])
    sds = np.maximum(sds, 1e-6)
    per_class = np.log(weights) - (0.5 * np.log(2 * np.pi) + np.log(sds) + 0.5).sum(axis=1)
    return Fitted(
        model=model,
        weights=weights,
        means=model.cluster_centers_,
        sds=sds,
        log_likelihood=(float((weights * per_class).sum()),),
        converged=bool(model.n_iter_ < model.max_iter),
    )


def one_hot(model: Any, values: Values) -> Values:
    """Turn a k-means model's hard assignment into probabilities of 0 and 1, (N, K)."""
    nearest = model.predict(values)
    return (nearest[:, None] == np.arange(len(model.cluster_centers_))).astype(np.float64)


def soft_clusters(model: Any, n_voxels: int = 1) -> Fitted:
    """Describe a fitted scikit-learn mixture; bounds that are sums become means over `n_voxels`."""
    return Fitted(
        model=model,
        weights=model.weights_,
        means=model.means_,
        sds=np.sqrt(np.diagonal(model.covariances_, axis1=1, axis2=2)),
        log_likelihood=tuple(float(bound) / n_voxels for bound in model.lower_bounds_),
        converged=bool(model.converged_),
    )
