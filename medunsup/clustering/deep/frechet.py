"""How unlike two sets of features are, told by the Gaussians that fit them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def frechet_distance(one: Floats, other: Floats) -> float:
    """Return the squared Fréchet distance of the Gaussians that fit two sets of features.

    It is |m1 - m2|² + tr(S1 + S2 - 2 (S1 S2)^½). With the features of the Inception network it is known as
    FID (Heusel et al. 2017); with other features its values cannot be compared with published ones.

    Parameters
    ----------
    one : ndarray of shape (N, D)
        Features of one set, N >= 2.
    other : ndarray of shape (M, D)
        Features of the other set, M >= 2.

    Returns
    -------
    float
        0 for equal means and covariances, else larger; in squared units of the features.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering.deep.frechet import frechet_distance
    >>> rows = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(frechet_distance(rows, rows + 2), 6)
    12.0
    """
    means = one.mean(axis=0) - other.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (one, other))
    root = _root(first)
    crossed = np.linalg.eigvalsh(root @ second @ root)
    traces = np.trace(first) + np.trace(second) - 2 * np.sqrt(np.maximum(crossed, 0)).sum()
    return float(means @ means + max(traces, 0.0))


def _root(covariance: Floats) -> Floats:
    """Return the symmetric root of a covariance (D, D)."""
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root
