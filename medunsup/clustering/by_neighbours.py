"""Clusters of any form: a new row belongs where the nearest fitted rows do."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from medunsup.clustering.base import Clustering, Floats, Labels
from medunsup.clustering.neighbours import vote


class ByNeighbours(Clustering):
    """Base of methods that only label the rows they are fitted on.

    Shares are those of the clusters among the 5 nearest fitted rows, weighed by inverse distance; so a fitted
    row has its own cluster for sure.
    """

    finds_noise: ClassVar[bool] = False
    _learned = ("_held", "_held_labels")

    @abstractmethod
    def _labels(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        """Return the clusters (N,) of distinct or equal rows (N, D), at least two of them; -1 for noise."""

    def _fit(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        if config.n_clusters is not None and n_clusters == 1 and not self.finds_noise:
            labels = np.zeros(len(rows), np.int64)
        else:
            labels = np.asarray(self._labels(rows, n_clusters, config)).astype(np.int64)
        is_new = np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)])
        self._held, self._held_labels = rows, labels[np.flatnonzero(is_new)[np.cumsum(is_new) - 1]]
        return self._held_labels

    def _soft(self, rows: Floats) -> Floats:
        return vote(rows, self._held, self._held_labels)

    def _shares(self, rows: Floats) -> Floats:
        """Return shares of clusters alone: those among the 5 nearest rows that are no noise."""
        if not (self._held_labels < 0).any() or not self.n_clusters_:
            return super()._shares(rows)
        is_in = self._held_labels >= 0
        return vote(rows, self._held[is_in], self._held_labels[is_in])[:, self._columns]
