"""The nearest other rows of each row, exactly."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from medunsup.clustering.neighbours import CHUNK

Floats = NDArray[np.float64]


def nearest_rows(rows: Floats, k: int) -> NDArray[np.int64]:
    """Return the numbers (N, k) of the k nearest other rows of each of rows (N, D), the nearest first.

    Distances are Euclidean and exact, some thousand rows at a time; of ties the earlier row comes first.
    `k` is cut to the N - 1 other rows.
    """
    k = min(k, len(rows) - 1)
    found = np.empty((len(rows), k), np.int64)
    for start in range(0, len(rows), CHUNK):
        distances = cdist(rows[start : start + CHUNK], rows, "sqeuclidean")
        some = np.arange(len(distances))
        distances[some, start + some] = np.inf
        found[start : start + CHUNK] = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return found
