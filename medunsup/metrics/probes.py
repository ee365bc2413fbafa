"""How well features tell labels apart: fitted on few labelled samples, asked about others. Arrays only."""

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError
from medunsup.metrics.representation import MOST_NEIGHBOURS, TEMPERATURE

PENALTIES = tuple(10.0**power for power in range(-4, 3))  # C: the larger, the weaker the penalty
PLAIN_PENALTY = 1e-2  # where there are too few labels to choose
MOST_FOLDS = 3
LIMITS = {"max_iter": 300, "tol": 1e-3}
FLOOR = 1e-12

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Probed:
    """What a probe says of test samples.

    Attributes
    ----------
    probabilities : ndarray of shape (N, K)
        Of each class, 0 to K - 1; rows sum to 1.
    setting : float
        C of the linear probe, or k of the neighbours.
    """

    probabilities: Floats
    setting: float


def linear_probe(
    features: ArrayLike,
    labels: ArrayLike,
    test: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    scale: Literal["each", "together"] = "each",
    seed: int = 0,
) -> Probed:
    """Fit logistic regression on standardised features, and ask it about others.

    Mean and spread are those of the training features. C is the one of `PENALTIES` with the lowest log loss
    in cross-validation on the training labels alone, `groups` kept together; 0.01 with fewer than two groups
    of a class.

    Parameters
    ----------
    features : array-like
        Training features (N, D).
    labels : array-like
        Their classes (N,), 0 to K - 1, each there.
    test : array-like
        Features (M, D) asked about.
    groups : array-like, optional
        Whose each training sample is; without them each is by itself.
    scale : {'each', 'together'}, default 'each'
        Bring each feature to a spread of 1, or all by one number: so principal components keep their
        proportions, while each brought to 1 they would be mostly noise.
    seed : int, default 0
        Of the folds.

    Returns
    -------
    Probed
        Probabilities (M, K) with C.

    Raises
    ------
    ArrayError
        If there is one class alone, or the arrays do not go together.

    References
    ----------
    Alain & Bengio, Understanding intermediate layers using linear classifier probes, ICLR workshop 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.probes import linear_probe
    >>> features = np.repeat([[0.0], [1.0]], 10, axis=0)
    >>> linear_probe(features, [0] * 10 + [1] * 10, [[0.9]]).probabilities.argmax()
    1
    """
    train, target, asked = _checked(features, labels, test)
    of = np.arange(len(train)) if groups is None else np.asarray(groups)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    if scale == "together":
        spread = np.full_like(spread, np.sqrt((spread**2).mean()))
    spread = np.where(spread > FLOOR, spread, 1.0)
    train, asked = (train - mean) / spread, (asked - mean) / spread
    chosen = _best_penalty(train, target, of, seed)
    return Probed(_regression(train, target, asked, chosen), chosen)


def neighbours_probe(
    features: ArrayLike, labels: ArrayLike, test: ArrayLike, *, temperature: float = TEMPERATURE
) -> Probed:
    """Let the nearest training features vote, by cosine similarity once the training mean is taken off.

    k is the smaller of 20 and a quarter of the training samples, at least 1 (Wu et al., Unsupervised feature
    learning via non-parametric instance discrimination, CVPR 2018, with their temperature).

    Parameters
    ----------
    features : array-like
        Training features (N, D).
    labels : array-like
        Their classes (N,), 0 to K - 1, each there.
    test : array-like
        Features (M, D) asked about.
    temperature : float, default 0.07
        What similarities are divided by before they weigh the votes.

    Returns
    -------
    Probed
        Shares of the votes (M, K) with k.

    Raises
    ------
    ArrayError
        If there is one class alone, or the arrays do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.probes import neighbours_probe
    >>> features = np.repeat(np.eye(2), 8, axis=0)
    >>> neighbours_probe(features, [0] * 8 + [1] * 8, [[0.0, 2.0]]).setting
    4.0
    """
    train, target, asked = _checked(features, labels, test)
    mean = train.mean(axis=0)
    alike = _of_length_one(asked - mean) @ _of_length_one(train - mean).T
    k = max(1, min(MOST_NEIGHBOURS, len(train) // 4))
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :k]
    weights = np.exp((np.take_along_axis(alike, nearest, axis=1) - 1) / temperature)
    votes = np.zeros((len(asked), int(target.max()) + 1))
    np.add.at(votes, (np.arange(len(asked))[:, None], target[nearest]), weights)
    return Probed(votes / votes.sum(axis=1, keepdims=True), float(k))


def _best_penalty(features: Floats, labels: Labels, groups: NDArray[Any], seed: int) -> float:
    """Return the C with the lowest log loss over folds, the stronger penalty where two are alike."""
    from sklearn.model_selection import StratifiedGroupKFold

    classes = np.unique(labels)
    n_folds = min(MOST_FOLDS, *(len(np.unique(groups[labels == one])) for one in classes))
    if n_folds < 2:
        return PLAIN_PENALTY
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(features, labels, groups)
    losses = np.zeros(len(PENALTIES))
    for inside, outside in folds:
        if len(np.unique(labels[inside])) < len(classes):
            continue
        for n, penalty in enumerate(PENALTIES):
            found = _regression(features[inside], labels[inside], features[outside], penalty)
            own = found[np.arange(len(outside)), labels[outside]]
            losses[n] -= np.log(np.maximum(own, FLOOR)).sum()
    return PENALTIES[int(losses.argmin())]


def _regression(features: Floats, labels: Labels, test: Floats, penalty: float) -> Floats:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the weakest penalties, which seldom win
        model = LogisticRegression(C=penalty, **LIMITS).fit(features, labels)
    return np.asarray(model.predict_proba(test), dtype=np.float64)


def _checked(features: ArrayLike, labels: ArrayLike, test: ArrayLike) -> tuple[Floats, Labels, Floats]:
    train, asked = (np.asarray(one, dtype=np.float64) for one in (features, test))
    target = np.asarray(labels, dtype=np.intp)
    if (
        train.ndim != 2
        or asked.ndim != 2
        or target.shape != train.shape[:1]
        or train.shape[1] != asked.shape[1]
    ):
        raise ArrayError(
            f"features are (N, D) with labels (N,) and test features (M, D), not {train.shape}, "
            f"{target.shape} and {asked.shape}"
        )
    classes = np.unique(target)
    if len(classes) < 2 or not np.array_equal(classes, np.arange(len(classes))):
        raise ArrayError(f"labels are the whole numbers from 0 to at least 1, each there; got {classes}")
    return train, target, asked


def _of_length_one(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > FLOOR, lengths, 1.0)
