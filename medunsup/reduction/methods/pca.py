"""Principal components, with the modes of variation that they stand for."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.registry import register
from medunsup.reduction.base import Floats, Reduction, ReductionConfig
from medunsup.reduction.rows import refuse_constant_among
from medunsup.reduction.streaming import SAMPLE, Batches, Moments, RowSample, checked_batches


class PCAConfig(ReductionConfig):
    """Parameters of principal components."""

    whiten: bool = Field(False, description="give all axes the same spread of 1")


@register(
    "pca",
    family="linear",
    dims=(2, 3),
    paper="Pearson (1901), On lines and planes of closest fit to systems of points in space. "
    "Philosophical Magazine. Modes of variation: Cootes et al. (1995), Active shape models.",
    limit="Straight axes alone: groups that differ along a curve fall onto one another.",
)
class PCA(Reduction):
    """Principal components: the straight axes along which rows differ most.

    The sign of an axis is that which makes its largest weight positive. Equal rows count as often as they
    occur.

    Parameters
    ----------
    n_components : int, default 2
        Axes of the map.
    standardize : bool, default True
        Bring each feature to mean 0 and standard deviation 1 before anything else.
    whiten : bool, default False
        Give all axes the same spread of 1.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, D)
        Weights of the features in each axis, of length 1.
    deviations_ : ndarray of shape (n_components,)
        Standard deviation of the rows along each axis.
    embedding_ : ndarray of shape (N, n_components)
        Places of the fitted rows, in their order.
    explained_ : ndarray of shape (n_components,)
        Share of the variance that each axis holds.
    placement_ : str
        'exact': new rows are placed by the method itself.
    remarks_ : tuple of str
        What was done otherwise than asked, in words.
    n_features_in_ : int
        Number of features D.
    sample_ : ndarray of shape (S,)
        Of a stream: numbers of the rows that were kept, ascending.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.reduction import PCA
    >>> rows = np.random.default_rng(0).normal(size=(40, 5))
    >>> pca = PCA(n_components=2).fit(rows)
    >>> pca.embedding_.shape, pca.modes().shape
    ((40, 2), (2, 2, 5))
    """

    Config = PCAConfig
    components_: Floats
    deviations_: Floats
    sample_: NDArray[np.intp]
    _learned = ("components_", "deviations_", "explained_")

    def __init__(self, *, n_components: int = 2, standardize: bool = True, whiten: bool = False) -> None:
        self.n_components, self.standardize, self.whiten = n_components, standardize, whiten

    def modes(self, deviations: float = 2.0) -> Floats:
        """Return the rows that lie so many standard deviations from the mean along each axis.

        Parameters
        ----------
        deviations : float, default 2.0
            Standard deviations along the axis.

        Returns
        -------
        ndarray of shape (n_components, 2, D)
            For each axis the row below the mean and the one above, in the units of the features.
        """
        steps = deviations * self.deviations_[:, None] * self.components_
        return self._mean + self._spread * np.stack([-steps, steps], axis=1)

    def fit_stream(self, batches: Batches) -> Self:
        """Learn from rows that come in batches, as many as there are; the axes are those of all rows.

        The rows are read twice. 20,000 of them, evenly drawn, are kept as the fitted rows: `typicality` and
        `state` know those alone.

        Parameters
        ----------
        batches : callable
            Each call starts again at the first row and returns an iterable of arrays (n, D).

        Returns
        -------
        PCA
            This method, fitted; `embedding_` holds a place for each row of the stream, and `sample_` (S,) the
            numbers of the rows that were kept.

        Raises
        ------
        ArrayError
            If a feature is not finite or constant, or there are too many features.
        UsageError
            If a parameter is out of its bounds, or there are too few rows.

        Examples
        --------
        >>> import numpy as np
        >>> from medunsup.reduction import PCA
        >>> rows = np.random.default_rng(0).normal(size=(1000, 5))
        >>> pca = PCA().fit_stream(lambda: np.split(rows, 10))
        >>> pca.embedding_.shape
        (1000, 2)
        """
        config = self.Config.parse(self.get_params(), where=self.method_name)
        moments, sample = Moments(), RowSample(SAMPLE, 0)
        for rows in checked_batches(batches):
            moments.add(rows)
            sample.add(rows)
        self.sample_, kept = sample.drawn()
        self.n_features_in_ = kept.shape[1]
        refuse_constant_among(self, moments.is_constant, moments.n)
        self._rows, of = np.unique(kept, axis=0, return_inverse=True)
        self._of, self.remarks_ = of.reshape(-1), ()
        self._check_numbers(len(self._rows), self.n_features_in_, config)
        covariance = moments.covariance
        self._mean, spread = moments.mean, np.sqrt(np.diag(covariance))
        self._spread = spread if config.standardize else np.ones_like(spread)
        variances, axes = np.linalg.eigh(covariance / np.outer(self._spread, self._spread))
        variances = np.clip(variances[::-1], 0, None)
        self._take(axes.T[::-1], variances * moments.n / (moments.n - 1))
        self._places = self._each(self._scaled(self._rows))
        scale = np.where(self.deviations_ > 0, self.deviations_, 1.0) if config.whiten else 1.0
        places = [self._scaled(rows) @ self.components_.T / scale for rows in checked_batches(batches)]
        self.embedding_ = np.concatenate(places)
        return self

    def _take(self, axes: Floats, variances: Floats) -> None:
        """Take over axes (M, D) and variances (M,), the largest first."""
        n = self.n_components
        signs = np.sign(axes[np.arange(n), np.abs(axes[:n]).argmax(axis=1)])
        self.components_ = signs[:, None] * axes[:n]
        self.deviations_ = np.sqrt(variances[:n])
        self.explained_ = variances[:n] / variances.sum()

    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        every = np.repeat(rows, counts, axis=0)  # centred already
        _, lengths, axes = np.linalg.svd(every, full_matrices=False)
        self._take(axes, np.square(lengths) / (len(every) - 1))
        return self._each(rows)

    def _place(self, row: Floats) -> Floats:
        place = self.components_ @ row
        return place / np.where(self.deviations_ > 0, self.deviations_, 1.0) if self.whiten else place

    def _least_features(self, config: Any) -> int:
        return config.n_components
