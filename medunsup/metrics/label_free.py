"""How useful features may be, told without any label: published scores, features in, numbers out.

Each was proposed for thousands of samples. What a few hundred do to it stands in its notes. Where a feature
is NaN or infinite, so is the score: NaN.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError
from medunsup.metrics.representation import dimensions, effective_rank

Floats = NDArray[np.float64]

WITHIN_LEAST = 1e-4  # added to the variances within items, as a share of their mean
FIRST, LAST = 3, 50  # eigenvalues that the power law is fitted to, from 1


def rankme(features: ArrayLike) -> float:
    """How many dimensions features fill, as RankMe counts them: higher is better.

    Garrido et al., RankMe: assessing the downstream performance of pretrained self-supervised representations
    by their rank, ICML 2023, arXiv:2210.02885. It is `effective_rank` of the features as they are, neither
    centred nor scaled to length 1.

    Parameters
    ----------
    features : array-like
        Features (N, D).

    Returns
    -------
    float
        The rank, in [1, min(N, D)]; 0 if all features are 0.

    Raises
    ------
    ArrayError
        If there are fewer than two rows, or more than two axes.

    Notes
    -----
    It is bounded by N, so that values of samples of several sizes must not be compared.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.label_free import rankme
    >>> round(rankme(3 * np.eye(5)), 6)
    5.0
    """
    return effective_rank(features)


def alpha_req(features: ArrayLike) -> float:
    """How near the spectrum of features is to 1 / rank, as alpha-ReQ asks: higher is better, 0 is best.

    Agrawal et al., alpha-ReQ: assessing representation quality in self-supervised learning by measuring
    eigenspectrum decay, NeurIPS 2022. Eigenvalues of the covariance fall as rank to the power of -alpha;
    features whose alpha is near 1 generalise best in their experiments.

    Parameters
    ----------
    features : array-like
        Features (N, D).

    Returns
    -------
    float
        Minus the distance of alpha from 1, at most 0; -infinity if fewer than three eigenvalues
        can be fitted.

    Raises
    ------
    ArrayError
        If there are fewer than two rows, or more than two axes.

    Notes
    -----
    Alpha is the slope of a line through the logarithms of eigenvalues 3 to 50, or to half of the most that
    N samples in D dimensions can have, as the last ones are far too small where samples are few.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.label_free import alpha_req
    >>> alpha_req(np.random.default_rng(0).normal(size=(500, 64))) < -0.5  # a flat spectrum
    True
    """
    rows = _rows(features)
    if not np.isfinite(rows).all():
        return float("nan")
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    last = min(LAST, min(len(rows) - 1, rows.shape[1]) // 2)
    ranks = np.arange(FIRST, last + 1)
    used = values[FIRST - 1 : last]
    if len(used) < 3 or used[-1] <= 1e-12 * values[0]:
        return float("-inf")
    slope = np.polyfit(np.log(ranks), np.log(used), 1)[0]
    return -abs(float(-slope) - 1)


def lidar(views: ArrayLike) -> float:
    """How many dimensions tell items apart whatever view shows them, as LiDAR counts: higher is better.

    Thilak et al., LiDAR: sensing linear probing performance in joint embedding SSL architectures, ICLR 2024,
    arXiv:2312.04000. Each item is a class and its views are the samples: the exponential entropy of the
    eigenvalues of the covariance of class means, whitened by that within classes.

    Parameters
    ----------
    views : array-like
        Features (N, Q, D) of Q views of each of N items.

    Returns
    -------
    float
        The rank, in [1, min(N - 1, D)]; 0 if all means are alike.

    Raises
    ------
    ArrayError
        If there are fewer than two items or views, or other than three axes.

    Notes
    -----
    A ten-thousandth of the mean variance within classes is added to each dimension, relative where the paper
    adds 1e-4 to all, so that the scale of features does not matter. Class means of Q views hold a Q-th
    of the noise, which fills dimensions too: compare values of equal N and Q alone. N (Q - 1) should be well
    above D.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.label_free import lidar
    >>> rng = np.random.default_rng(0)
    >>> means = np.zeros((100, 1, 8))
    >>> means[..., :3] = rng.normal(size=(100, 1, 3))
    >>> round(lidar(means + 0.01 * rng.normal(size=(100, 4, 8))))  # three dimensions tell items apart
    3
    """
    rows = np.asarray(views, dtype=np.float64)
    if rows.ndim != 3 or min(rows.shape[:2]) < 2:
        raise ArrayError(f"views are an array (N, Q, D) of at least two items and views, not {rows.shape}")
    if not np.isfinite(rows).all():
        return float("nan")
    means = rows.mean(axis=1)
    apart = means - means.mean(axis=0)
    within = (rows - means[:, None]).reshape(-1, rows.shape[2])
    values, axes = np.linalg.eigh(within.T @ within / (len(means) * (rows.shape[1] - 1)))
    least = max(WITHIN_LEAST * float(values.mean()), 1e-12 * float(np.square(apart).mean()))
    if not apart.any():
        return 0.0
    whitened = apart @ axes / np.sqrt(np.maximum(values, 0) + least)
    return dimensions(np.linalg.svd(whitened, compute_uv=False) ** 2)


def _rows(given: ArrayLike) -> Floats:
    rows = np.asarray(given, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 2:
        raise ArrayError(f"features are an array (N, D) of at least 2 rows, not {rows.shape}")
    return rows
