"""New rows between the fitted ones: by their nearest neighbours among the features."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def nearest(row: Floats, rows: Floats, k: int) -> tuple[NDArray[np.intp], Floats]:
    """Return the k nearest of rows (N, D) to a row (D,), nearest first, and their Euclidean distances."""
    distances = np.sqrt(np.square(rows - row).sum(axis=1))
    order = np.argsort(distances, kind="stable")[:k]
    return order, distances[order]


def by_neighbours(row: Floats, rows: Floats, places: Floats, k: int) -> Floats:
    """Place a row (D,) at the mean place of its k nearest rows, weighted by the inverse of their distances.

    A row at no distance is where that row is (Shepard, A two-dimensional interpolation function for
    irregularly-spaced data, ACM National Conference 1968).
    """
    order, distances = nearest(row, rows, k)
    if distances[0] == 0:
        return places[order[0]]
    weights = distances[0] / distances
    return (weights[:, None] * places[order]).sum(axis=0) / weights.sum()
