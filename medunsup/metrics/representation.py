"""How good representations are, and whether they collapsed: features (N, D) in, numbers out.

None needs a label but `knn_accuracy`. Where a feature is NaN or infinite, so is the figure: NaN.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, xlogy

from medunsup.core.errors import ArrayError

Floats = NDArray[np.float64]

MOST_NEIGHBOURS = 20
TEMPERATURE = 0.07


@dataclass(frozen=True)
class KNNAccuracy:
    """Accuracy of a vote among neighbours, and how it was taken.

    Attributes
    ----------
    accuracy : float
        Share of samples whose label the vote finds, in [0, 1].
    k : int
        Neighbours that vote.
    temperature : float
        What similarities are divided by before they weigh the votes.
    """

    accuracy: float
    k: int
    temperature: float


def feature_std(features: ArrayLike) -> float:
    """How far features of length 1 spread: 0 if all point the same way, 1 if they point anywhere.

    Mean standard deviation over the D features, times the root of D (Chen & He, Exploring simple Siamese
    representation learning, CVPR 2021).

    Parameters
    ----------
    features : array-like
        Features (N, D), of any length each; a row of zeros stays one.

    Returns
    -------
    float
        The spread, in [0, 1].

    Raises
    ------
    ArrayError
        If there are fewer than two rows, or more than two axes.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.representation import feature_std
    >>> round(feature_std(np.random.default_rng(0).normal(size=(1000, 64))), 2)
    1.0
    """
    rows = _unit(_features(features))
    return float(rows.std(axis=0).mean() * np.sqrt(rows.shape[1]))


def effective_rank(features: ArrayLike) -> float:
    """How many dimensions features fill: exponential entropy of their singular values.

    Roy & Vetterli, The effective rank: a measure of effective dimensionality, EUSIPCO 2007. The mean is not
    taken off: features that are all alike have rank 1, whatever noise lies on them.

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

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.representation import effective_rank
    >>> round(effective_rank(np.eye(5)), 6)
    5.0
    """
    rows = _features(features)
    return dimensions(np.linalg.svd(rows, compute_uv=False)) if np.isfinite(rows).all() else float("nan")


def dimensions(values: ArrayLike) -> float:
    """How many values of a spectrum count: the exponential entropy of their shares.

    Parameters
    ----------
    values : array-like
        Singular values or eigenvalues (D,), none below 0.

    Returns
    -------
    float
        The number, in [1, D]; 0 if all are 0.

    Examples
    --------
    >>> from medunsup.metrics.representation import dimensions
    >>> round(dimensions([2.0, 2.0, 2.0, 0.0]), 6)
    3.0
    """
    spectrum = np.asarray(values, dtype=np.float64)
    return float(np.exp(_entropy(spectrum / spectrum.sum()))) if spectrum.any() else 0.0


def alignment(first: ArrayLike, second: ArrayLike) -> float:
    """Mean squared distance of two views of the same items, scaled to length 1: 0 if they agree.

    Wang & Isola, Understanding contrastive representation learning through alignment and uniformity on the
    hypersphere, ICML 2020.

    Parameters
    ----------
    first, second : array-like
        Features (N, D) of two views of the same items.

    Returns
    -------
    float
        The distance, in [0, 4]; about 2 for views that have nothing to do with each other.

    Raises
    ------
    ArrayError
        If there are fewer than two rows, more than two axes, or if the shapes differ.

    Examples
    --------
    >>> from medunsup.metrics.representation import alignment
    >>> alignment([[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]])
    0.0
    """
    one, two = _features(first), _features(second)
    if one.shape != two.shape:
        raise ArrayError(f"two views of the same items have one shape, not {one.shape} and {two.shape}")
    return float(np.square(_unit(one) - _unit(two)).sum(axis=1).mean())


def uniformity(features: ArrayLike, *, t: float = 2.0) -> float:
    """How evenly features cover the sphere: lower is more even, 0 if all are one.

    Logarithm of the mean Gaussian potential of all pairs (Wang & Isola, ICML 2020).

    Parameters
    ----------
    features : array-like
        Features (N, D), scaled to length 1 here.
    t : float, default 2.0
        How fast the potential falls with the squared distance.

    Returns
    -------
    float
        The uniformity, in [-4 t, 0].

    Raises
    ------
    ArrayError
        If there are fewer than two rows, or more than two axes.

    Examples
    --------
    >>> from medunsup.metrics.representation import uniformity
    >>> uniformity([[1.0, 0.0], [-1.0, 0.0]], t=2.0)
    -8.0
    """
    rows = _unit(_features(features))
    squares = np.square(rows).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0)[np.triu_indices(len(rows), 1)]
    return float(logsumexp(-t * apart) - np.log(len(apart)))


def knn_accuracy(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    subjects: ArrayLike | None = None,
    temperature: float = TEMPERATURE,
) -> KNNAccuracy:
    """Leave-one-out accuracy of a weighted vote among the nearest neighbours by cosine similarity.

    Wu et al., Unsupervised feature learning via non-parametric instance discrimination, CVPR 2018. Votes
    weigh exp(similarity / temperature); k is the smaller of 20 and a quarter of the samples, as 200 of
    others' code would be all there is. A sample never counts for itself, nor does one of its own subject.

    Parameters
    ----------
    features : array-like
        Features (N, D).
    labels : array-like
        What is to be found (N,).
    subjects : array-like, optional
        Subject (N,) of each sample.
    temperature : float, default 0.07
        What similarities are divided by, above 0.

    Returns
    -------
    KNNAccuracy
        The accuracy with k and temperature.

    Raises
    ------
    ArrayError
        If there are fewer than four rows, more than two axes, or if labels or subjects are not one a row.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.representation import knn_accuracy
    >>> knn_accuracy(np.repeat(np.eye(2), 6, axis=0), ["a"] * 6 + ["b"] * 6)
    KNNAccuracy(accuracy=1.0, k=3, temperature=0.07)
    """
    rows = _unit(_features(features, fewest=4))
    classes, target = np.unique(_one_a_row(labels, rows, "labels"), return_inverse=True)
    of = np.arange(len(rows)) if subjects is None else _one_a_row(subjects, rows, "subjects")
    k = min(MOST_NEIGHBOURS, len(rows) // 4)
    alike = np.where(of[:, None] == of, -np.inf, rows @ rows.T)
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :k]
    weights = np.exp((np.take_along_axis(alike, nearest, axis=1) - 1) / temperature)
    votes = np.zeros((len(rows), len(classes)))
    np.add.at(votes, (np.arange(len(rows))[:, None], target[nearest]), weights)
    is_found = (votes.argmax(axis=1) == target) & (votes.max(axis=1) > 0)
    accuracy = float("nan") if np.isnan(rows).any() else float(is_found.mean())
    return KNNAccuracy(accuracy, k, temperature)


def entropy(probabilities: ArrayLike) -> float:
    """Mean entropy of a teacher's probabilities, as a share of the largest there can be.

    Parameters
    ----------
    probabilities : array-like
        Probabilities (N, K) that sum to 1 in each row.

    Returns
    -------
    float
        The entropy over ln K, in [0, 1]: 1 for a uniform teacher, 0 for one that is sure of each item.

    Raises
    ------
    ArrayError
        If there are fewer than two rows, or more than two axes.

    Examples
    --------
    >>> from medunsup.metrics.representation import entropy
    >>> entropy([[0.5, 0.5], [1.0, 0.0]])
    0.5
    """
    rows = _features(probabilities)
    return float(_entropy(rows).mean() / np.log(rows.shape[1]))


def occupancy(probabilities: ArrayLike) -> float:
    """How many prototypes are in use, as a share of those that N items can use.

    Exponential entropy of the mean probabilities over K, or over N if there are fewer items than prototypes.

    Parameters
    ----------
    probabilities : array-like
        Probabilities (N, K) that sum to 1 in each row.

    Returns
    -------
    float
        The share, in (0, 1]: 1 / K if all of many items go to one prototype, 1 if to all alike.

    Raises
    ------
    ArrayError
        If there are fewer than two rows, or more than two axes.

    Examples
    --------
    >>> from medunsup.metrics.representation import occupancy
    >>> occupancy([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    0.5
    """
    rows = _features(probabilities)
    return min(float(np.exp(_entropy(rows.mean(axis=0)))) / min(rows.shape), 1.0)


def _entropy(probabilities: Floats) -> Any:
    return -xlogy(probabilities, probabilities).sum(axis=-1)


def _features(given: ArrayLike, *, fewest: int = 2) -> Floats:
    rows = np.asarray(given, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < fewest:
        raise ArrayError(f"features are an array (N, D) of at least {fewest} rows, not {rows.shape}")
    return rows


def _one_a_row(given: ArrayLike, rows: Floats, what: str) -> NDArray[Any]:
    values = np.asarray(given)
    if values.shape != (len(rows),):
        raise ArrayError(f"{what}: one a row of {len(rows)} features, not {values.shape}")
    return values


def _unit(rows: Floats) -> Floats:
    """Scale rows to length 1; those with NaN or infinities become NaN, rows of zeros stay."""
    rows = np.where(np.isfinite(rows), rows, np.nan)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    rows = rows / np.where(largest == 0, 1, largest)  # squares of the smallest numbers are 0
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)
