"""Clusters given by their centres: a row belongs to the nearest, softly."""

from abc import abstractmethod
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import softmax

from medunsup.clustering.base import Clustering, Floats, Labels

LEAST = 1e-12  # of the variance of all rows: clusters of equal rows have none of their own


class Centroids(Clustering):
    """Base of methods whose clusters are centres.

    Shares are the posterior of a mixture of round Gaussians of equal weight, whose variance is that within
    clusters, so that the likeliest cluster is that of the nearest centre.
    """

    _learned = ("_centers", "_inertia", "_variance", "_n_iter")

    @abstractmethod
    def _centres(self, rows: Floats, n_clusters: int, config: Any) -> Floats:
        """Return the centres (K, D), and set `_n_iter`."""

    _n_iter: int

    def _fit(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        self._centers = self._centres(rows, n_clusters, config)
        squares = cdist(rows, self._centers, "sqeuclidean")
        self._spread_out(float(squares.min(axis=1).sum()), rows.size, float(rows.var(axis=0).mean()))
        labels: Labels = self._soft(rows).argmax(axis=1)
        return labels

    def _spread_out(self, inertia: float, size: int, whole: float) -> None:
        """Take over the inertia, and the variance within clusters that follows from it."""
        self._inertia = inertia
        self._variance = max(inertia / size, LEAST * whole, np.finfo(float).tiny)

    def _soft(self, rows: Floats) -> Floats:
        squares = cdist(rows, self._centers, "sqeuclidean")
        squares -= squares.min(axis=1, keepdims=True)
        shares: Floats = softmax(-squares / (2 * self._variance), axis=1)
        return shares

    @property
    def cluster_centers_(self) -> Floats:
        """Centres (K, D), in the order of the labels."""
        return self._centers[self._columns]

    @property
    def n_iter_(self) -> int:
        """Iterations of the fit."""
        return self._n_iter

    @property
    def inertia_(self) -> float:
        """Sum of squared distances of the fitted rows to their centres."""
        return self._inertia
