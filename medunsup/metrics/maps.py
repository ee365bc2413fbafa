"""How far a map of few axes can be trusted: whose neighbours on it are neighbours, and the other way round.

Venna & Kaski, Neighborhood preservation in nonlinear projection methods, ICANN 2001.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

NEIGHBOURS = 15  # or fewer, where there are too few rows
BLOCK = 2**24  # numbers that are kept at once


def trustworthiness(rows: ArrayLike, places: ArrayLike, *, neighbours: int = NEIGHBOURS) -> float:
    """Whether neighbours on the map are neighbours in the features: 1 if all are.

    Those that are not count by how far down the list of neighbours in the features they stand.

    Parameters
    ----------
    rows : array-like of shape (N, D)
        Features.
    places : array-like of shape (N, q)
        Places of the rows on the map.
    neighbours : int, default 15
        Nearest rows that are looked at, below N / 2.

    Returns
    -------
    float
        The trustworthiness, in [0, 1].

    Raises
    ------
    ArrayError
        If rows and places are not tables of N finite rows, or there are too many neighbours.

    Examples
    --------
    >>> from medunsup.metrics.maps import trustworthiness
    >>> rows = [[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [6.0, 0.0], [10.0, 0.0]]
    >>> trustworthiness(rows, [[0.0], [1.0], [3.0], [6.0], [10.0]], neighbours=2)
    1.0
    """
    features, at = _table(rows, "rows"), _table(places, "places")
    n, k = len(features), neighbours
    if len(at) != n:
        raise ArrayError(f"{n} rows and {len(at)} places: give a place a row.")
    if not 1 <= k < n / 2:
        raise ArrayError(f"{k} neighbours of {n} rows: give 1 or more, and fewer than half of the rows.")
    too_far = 0
    for block in _blocks(n):
        ranks = np.argsort(_order(features, block), axis=1)  # 0 is the nearest other row
        near = _order(at, block)[:, :k]
        too_far += np.maximum(np.take_along_axis(ranks, near, axis=1) + 1 - k, 0).sum()
    return float(1 - 2 * too_far / (n * k * (2 * n - 3 * k - 1)))


def continuity(rows: ArrayLike, places: ArrayLike, *, neighbours: int = NEIGHBOURS) -> float:
    """Whether neighbours in the features are neighbours on the map: 1 if none was torn away.

    Parameters
    ----------
    rows : array-like of shape (N, D)
        Features.
    places : array-like of shape (N, q)
        Places of the rows on the map.
    neighbours : int, default 15
        Nearest rows that are looked at, below N / 2.

    Returns
    -------
    float
        The continuity, in [0, 1].

    Raises
    ------
    ArrayError
        If rows and places are not tables of N finite rows, or there are too many neighbours.

    Examples
    --------
    >>> from medunsup.metrics.maps import continuity
    >>> rows = [[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [6.0, 0.0], [10.0, 0.0]]
    >>> continuity(rows, [[0.0], [1.0], [3.0], [6.0], [10.0]], neighbours=2)
    1.0
    """
    return trustworthiness(places, rows, neighbours=neighbours)


def usual_neighbours(n: int) -> int:
    """Return how many neighbours are looked at of n rows: 15, or fewer where that is not below n / 2.

    Parameters
    ----------
    n : int
        Number of rows, 3 or more.

    Returns
    -------
    int
        The neighbours.

    Raises
    ------
    ArrayError
        If there are fewer than three rows.

    Examples
    --------
    >>> from medunsup.metrics.maps import usual_neighbours
    >>> usual_neighbours(200), usual_neighbours(10)
    (15, 4)
    """
    if n < 3:
        raise ArrayError(f"{n} rows have no neighbours to compare: give 3 or more.")
    return min(NEIGHBOURS, (n - 1) // 2)


def _order(rows: Floats, block: Places) -> Places:
    """Return all rows in the order of their distance to those of a block (B, N), each row itself last."""
    squares = np.square(rows).sum(axis=1)
    distances = squares[block, None] + squares - 2 * rows[block] @ rows.T
    distances[np.arange(len(block)), block] = np.inf
    return np.argsort(distances, axis=1, kind="stable")


def _blocks(n: int) -> Iterator[Places]:
    size = max(1, BLOCK // n)
    for start in range(0, n, size):
        yield np.arange(start, min(start + size, n))


def _table(given: ArrayLike, what: str) -> Floats:
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ArrayError(f"{what} are a table (N, D) of finite numbers, not {values.shape}.")
    return values - values.mean(axis=0)
