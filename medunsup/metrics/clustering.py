"""How good clusters are: against true classes, and by themselves. Arrays only.

Names of clusters carry no meaning; -1, no cluster, counts as one more name, but for `silhouette` and
`occupancy`, which leave it out.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.special import comb, entr

from medunsup.core.errors import ArrayError

CHUNK = 1_000  # rows at a time

Floats = NDArray[np.float64]


def clustering_accuracy(truth: ArrayLike, clusters: ArrayLike) -> float:
    """Share of rows whose cluster is that of their class, when each class has at most one cluster.

    Which cluster is which class is chosen for the highest share (Kuhn 1955, The Hungarian method for the
    assignment problem). Clusters beyond the number of classes count as wrong.

    Parameters
    ----------
    truth : array-like
        Class (N,) of each row.
    clusters : array-like
        Cluster (N,) of each row.

    Returns
    -------
    float
        The share, in (0, 1].

    Raises
    ------
    ArrayError
        If both are not of one length, or empty.

    Examples
    --------
    >>> from medunsup.metrics.clustering import clustering_accuracy
    >>> clustering_accuracy([0, 0, 1, 1], [5, 5, 2, 5])
    0.75
    """
    table = contingency(truth, clusters)
    return float(table[linear_sum_assignment(table, maximize=True)].sum() / table.sum())


def nmi(truth: ArrayLike, clusters: ArrayLike) -> float:
    """Mutual information of classes and clusters, by the mean of their entropies.

    Parameters
    ----------
    truth : array-like
        Class (N,) of each row.
    clusters : array-like
        Cluster (N,) of each row.

    Returns
    -------
    float
        In [0, 1]: 1 if each tells the other; also 1 if both have a single name.

    Raises
    ------
    ArrayError
        If both are not of one length, or empty.

    Examples
    --------
    >>> from medunsup.metrics.clustering import nmi
    >>> round(nmi([0, 0, 1, 1], [1, 1, 0, 0]), 9)
    1.0
    """
    shares = contingency(truth, clusters) / np.size(truth)
    if min(shares.shape) == max(shares.shape) == 1:
        return 1.0
    of_truth, of_clusters = (float(entr(shares.sum(axis=axis)).sum()) for axis in (1, 0))
    shared = of_truth + of_clusters - float(entr(shares).sum())
    mean = (of_truth + of_clusters) / 2
    return max(shared, 0.0) / mean if min(of_truth, of_clusters) > 0 else 0.0


def ari(truth: ArrayLike, clusters: ArrayLike) -> float:
    """Agreement of two partitions over pairs of rows, less what chance gives (Hubert and Arabie 1985).

    Parameters
    ----------
    truth : array-like
        Class, or cluster of another clustering, (N,) of each row.
    clusters : array-like
        Cluster (N,) of each row.

    Returns
    -------
    float
        1 if both are the same partition, 0 on average by chance, at least -0.5.

    Raises
    ------
    ArrayError
        If both are not of one length, or empty.

    Examples
    --------
    >>> from medunsup.metrics.clustering import ari
    >>> ari([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    table = contingency(truth, clusters)
    together = comb(table, 2).sum()
    of_truth, of_clusters = (comb(table.sum(axis=axis), 2).sum() for axis in (1, 0))
    pairs = comb(table.sum(), 2)
    expected = of_truth * of_clusters / pairs if pairs else 0.0
    most = (of_truth + of_clusters) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def silhouette(features: ArrayLike, clusters: ArrayLike) -> float:
    """How much nearer rows are to their own cluster than to the next one (Rousseeuw 1987).

    Parameters
    ----------
    features : array-like
        Features (N, D).
    clusters : array-like
        Cluster (N,) of each row; rows of -1 are left out. A row alone in its cluster counts 0.

    Returns
    -------
    float
        Mean over rows, in [-1, 1]; NaN with fewer than two clusters.

    Raises
    ------
    ArrayError
        If features are no array (N, D) of as many rows as there are clusters given.

    Examples
    --------
    >>> from medunsup.metrics.clustering import silhouette
    >>> round(silhouette([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]), 3)
    0.9
    """
    rows, marks = np.asarray(features, dtype=np.float64), np.asarray(clusters)
    if rows.ndim != 2 or marks.shape != rows.shape[:1]:
        raise ArrayError(f"features (N, D) and clusters (N,) are needed, not {rows.shape} and {marks.shape}.")
    rows, marks = rows[marks != -1], marks[marks != -1]
    names, which = np.unique(marks, return_inverse=True)
    if len(names) < 2:
        return float("nan")
    members = np.eye(len(names))[which]
    sizes = members.sum(axis=0)
    found = []
    for start in range(0, len(rows), CHUNK):
        sums = cdist(rows[start : start + CHUNK], rows) @ members
        some, own = np.arange(len(sums)), which[start : start + CHUNK]
        within = sums[some, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / sizes
        means[some, own] = np.inf
        beyond = means.min(axis=1)
        larger = np.maximum(within, beyond)
        score = np.divide(beyond - within, larger, out=np.zeros_like(larger), where=larger > 0)
        found.append(np.where(sizes[own] > 1, score, 0.0))
    return float(np.concatenate(found).mean())


def occupancy(clusters: ArrayLike, n_clusters: int) -> Floats:
    """Share of rows in each cluster: 0 for one that died.

    Parameters
    ----------
    clusters : array-like
        Cluster (N,) of each row, 0 to K - 1; -1 for rows in none.
    n_clusters : int
        Number of clusters K asked for.

    Returns
    -------
    ndarray of shape (K,)
        Shares of all rows; they sum to 1 less the share of rows in no cluster.

    Raises
    ------
    ArrayError
        If there is no row, or a cluster beyond K.

    Examples
    --------
    >>> from medunsup.metrics.clustering import occupancy
    >>> occupancy([0, 0, 1, -1], 3).tolist()
    [0.5, 0.25, 0.0]
    """
    marks = np.asarray(clusters)
    if marks.ndim != 1 or not marks.size or marks.max() >= n_clusters or marks.min() < -1:
        raise ArrayError(f"clusters are whole numbers (N,) from -1 to {n_clusters - 1}, not {marks.shape}.")
    return np.bincount(marks[marks >= 0], minlength=n_clusters) / marks.size


def contingency(truth: ArrayLike, clusters: ArrayLike) -> NDArray[Any]:
    """Count rows (classes, clusters) of each class and cluster.

    Raises ArrayError if both are not of one length, or empty.
    """
    first, second = np.asarray(truth), np.asarray(clusters)
    if first.ndim != 1 or first.shape != second.shape or not first.size:
        raise ArrayError(f"One class and one cluster a row are needed, not {first.shape} and {second.shape}.")
    (rows, of_row), (columns, of_column) = (np.unique(each, return_inverse=True) for each in (first, second))
    table = np.zeros((len(rows), len(columns)), np.int64)
    np.add.at(table, (of_row, of_column), 1)
    return table
