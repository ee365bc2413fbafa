"""The nearest neighbours of each row among all rows, for many rows."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from medunsup.core.errors import ArrayError
from medunsup.reduction.threads import same_threads

MOST_EXACT = 20_000  # rows whose distances are all computed; more take longer than the search that follows
LOOKED_AT = 2.5  # neighbours sought for each that is kept: a recall of .97, with 1 it is .8


@dataclass(frozen=True, eq=False)
class NeighbourGraph:
    """The k nearest other rows of each row, the nearest first.

    `indices` (N, k) are their numbers, `distances` (N, k) Euclidean, float64; `is_exact` says whether all
    distances were computed.
    """

    indices: NDArray[np.int64]
    distances: NDArray[np.float64]
    is_exact: bool


def neighbour_graph(X: ArrayLike, k: int = 10, *, exact: bool | None = None, seed: int = 0) -> NeighbourGraph:
    """Find the k nearest other rows of each row (N, D).

    All distances are computed for up to 20,000 rows, if `exact`, and where pynndescent (it comes with the
    extra `maps`) is not installed. Else neighbours are sought among neighbours of neighbours (Dong, Moses
    and Li 2011, Efficient k-nearest neighbor graph construction for generic similarity measures, WWW), which
    finds some 97 % of them, fewer in features that are plain noise. The same seed gives the same graph.

    Raises ArrayError for fewer than two rows, k that is not between 1 and N - 1, or values that are not
    finite.
    """
    try:
        rows = check_array(X, dtype=[np.float64, np.float32], ensure_min_samples=2)
    except ValueError as error:
        raise ArrayError(str(error)) from error
    if not 1 <= k < len(rows):
        raise ArrayError(f"{k} neighbours of {len(rows)} rows: k is between 1 and {len(rows) - 1}.")
    is_exact = len(rows) <= MOST_EXACT if exact is None else exact
    found = None if is_exact else _sought(rows, k, seed)
    indices, distances = found or exact_neighbours(rows, k)
    return NeighbourGraph(indices, distances, found is None)


def exact_neighbours(rows: NDArray[np.floating], k: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the numbers (N, k) of the k nearest other rows of each row (N, D), and their distances.

    All distances are computed; of those found at one distance the earlier row comes first. `k` is cut to the
    N - 1 other rows.
    """
    from sklearn.neighbors import NearestNeighbors

    k = min(k, len(rows) - 1)
    distances, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(rows).kneighbors()
    order = np.lexsort((indices, distances), axis=1)
    found = (np.take_along_axis(each, order, axis=1) for each in (indices, distances))
    return next(found).astype(np.int64), next(found).astype(np.float64)


def _sought(
    rows: NDArray[np.floating], k: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Return neighbours and distances by descent; None without pynndescent or where it finds too few."""
    try:
        from pynndescent import NNDescent
    except ImportError:
        return None
    with same_threads(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sought = min(int(LOOKED_AT * k) + 1, len(rows) - 1)
        graph = NNDescent(
            np.ascontiguousarray(rows, np.float32), n_neighbors=sought, random_state=seed, n_jobs=1
        )
        indices, distances = graph.neighbor_graph
    is_other = indices != np.arange(len(rows))[:, None]
    is_other &= indices >= 0
    if is_other.sum(axis=1).min() < k:
        return None
    order = np.argsort(~is_other, axis=1, kind="stable")[:, :k]  # others first, near ones before far ones
    indices = np.take_along_axis(indices, order, axis=1).astype(np.int64)
    return indices, np.take_along_axis(distances, order, axis=1).astype(np.float64)
