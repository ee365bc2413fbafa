"""Fits that the choice of K needs, and what is measured of one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.base import Clustering
from medunsup.metrics.clustering import ari

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Make = Callable[[int, int], Clustering]  # (number of clusters, seed) to a method that is not fitted


def inertia(rows: Floats, labels: Labels) -> float:
    """Return the sum of squared distances of rows (N, D) to their cluster's mean, noise left out."""
    parts = [rows[labels == cluster] for cluster in np.unique(labels[labels >= 0])]
    return float(sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts))


def stability(make: Make, rows: Floats, k: int, *, halvings: int, generator: np.random.Generator) -> float:
    """Return how well two clusterings of halves agree on all rows: mean adjusted Rand index.

    Lange et al., Stability-based validation of clustering solutions, Neural Computation 2004.
    1 for one cluster.
    """
    if k == 1:
        return 1.0
    found = []
    for _ in range(halvings):
        order = generator.permutation(len(rows))
        halves = order[: len(rows) // 2], order[len(rows) // 2 :]
        first, second = (make(k, _seed(generator)).fit(rows[half]).predict(rows) for half in halves)
        found.append(ari(first, second))
    return float(np.mean(found))


def _seed(generator: np.random.Generator) -> int:
    return int(generator.integers(2**31))
