"""Methods that learn shares of clusters on features that stay as they are."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from medunsup.clustering.base import Floats
from medunsup.clustering.deep.share_network import ShareNetwork
from medunsup.core.errors import ArrayError


class OnFeatures(ShareNetwork):
    """Base of methods that take features (N, D) alone, and refuse images."""

    def transform(self, X: ArrayLike) -> Floats:
        """Return the standardised features that the network sees: nothing of them is learned.

        Parameters
        ----------
        X : array-like of shape (M, D)
            Features, as they were fitted.

        Returns
        -------
        ndarray of shape (M, d)
            Values of the d features that vary, of mean 0 and standard deviation 1 over the fitted rows.

        Raises
        ------
        ArrayError
            If a feature is not finite.
        """
        check_is_fitted(self, "labels_")
        return self._values(self._rows_of(X))

    def _rows_of(self, X: ArrayLike, *, reset: bool = False) -> Floats:
        axes = np.asarray(X).ndim
        if axes > 2:
            raise ArrayError(
                f"{type(self).__name__} takes features (N, D), and these have {axes} axes: turn images "
                f"into features first, by `medunsup embed` or the `transform` of an encoder."
            )
        return super()._rows_of(X, reset=reset)

    def _near(self, config: Any, n_rows: int, n_clusters: int) -> int:
        """Return how many neighbours to use: as asked, but no more than half a cluster of average size."""
        possible = max(1, n_rows // (2 * n_clusters))
        if config.neighbours > possible:
            self._remark(
                f"{possible} neighbours were used, not {config.neighbours}: half of what a cluster holds."
            )
        return min(config.neighbours, possible)
