"""Fits that the choice of K needs, and what is measured of one."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.base import Clustering
from medunsup.clustering.subjects import Subjects, halves
from medunsup.metrics.clustering import ari

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Make = Callable[[int, int], Clustering]  # (number of clusters, seed) to a method that is not fitted
Prepare = Callable[[Floats, Labels], Floats]  # (rows, which of them to learn from) to all rows, prepared


def as_they_are(rows: Floats, which: Labels) -> Floats:
    """Prepare nothing."""
    return rows


def inertia(rows: Floats, labels: Labels) -> float:
    """Return the sum of squared distances of rows (N, D) to their cluster's mean, noise left out."""
    parts = [rows[labels == cluster] for cluster in np.unique(labels[labels >= 0])]
    return float(sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts))


def agreements(
    make: Make,
    rows: Floats,
    k: int,
    *,
    halvings: int,
    generator: np.random.Generator,
    prepare: Prepare = as_they_are,
    subjects: Subjects | None = None,
) -> list[float]:
    """Return how well two clusterings of halves agree on all rows, in each halving: adjusted Rand index.

    Lange et al., Stability-based validation of clustering solutions, Neural Computation 2004. Rows are
    prepared by what their half tells; rows of one subject are in the same half. 1 for one cluster.
    """
    if k == 1:
        return [1.0] * halvings
    found = []
    for _ in range(halvings):
        labels = []
        for half in halves(len(rows), subjects, generator):
            ready = prepare(rows, half)
            labels.append(make(k, _seed(generator)).fit(ready[half]).predict(ready))
        found.append(ari(*labels))
    return found


def stability(
    make: Make,
    rows: Floats,
    k: int,
    *,
    halvings: int,
    generator: np.random.Generator,
    prepare: Prepare = as_they_are,
    subjects: Subjects | None = None,
) -> float:
    """Return the mean of `agreements`."""
    found = agreements(
        make, rows, k, halvings=halvings, generator=generator, prepare=prepare, subjects=subjects
    )
    return float(np.mean(found))


def _seed(generator: np.random.Generator) -> int:
    return int(generator.integers(2**31))
