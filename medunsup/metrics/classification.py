"""How well classes are told apart, and whether one classifier does so better than another. Arrays only."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from medunsup.core.errors import InputError
from medunsup.metrics.bootstrap import CONFIDENCE, NAN, Estimate, widened

N_RESAMPLES = 2000
AT_ONCE = 2 * 10**6  # weights held at a time
POWER = 0.8

Floats = NDArray[np.float64]
Labels = NDArray[np.integer[Any]]


def auc(probabilities: Floats, labels: Labels, weights: Floats | None = None) -> Floats:
    """Area under the ROC curve; of more than two classes the mean of each against the rest.

    Parameters
    ----------
    probabilities : ndarray of shape (N, K)
        Of each class.
    labels : ndarray of shape (N,)
        True classes, 0 to K - 1.
    weights : ndarray of shape (B, N), optional
        How often each sample counts, a row for each of B figures; 1 without.

    Returns
    -------
    ndarray of shape (B,)
        In [0, 1], ties counting half; NaN where not two classes are left. A class that nobody has, or
        everybody, is left out of the mean.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.classification import auc
    >>> float(auc(np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]]), np.array([0, 0, 1]))[0])
    1.0
    """
    counted = np.ones((1, len(labels))) if weights is None else np.asarray(weights, dtype=np.float64)
    n_classes = probabilities.shape[1]
    asked = (1,) if n_classes == 2 else range(n_classes)
    found = np.stack([_auc(probabilities[:, one], labels == one, counted) for one in asked])
    known = np.isfinite(found)
    n_known = known.sum(axis=0)
    total = np.where(known, found, 0.0).sum(axis=0)
    return np.where(n_known > 0, total / np.maximum(n_known, 1), NAN)


def balanced_accuracy(probabilities: Floats, labels: Labels) -> float:
    """Mean over classes of the share found, the most probable class being taken.

    Parameters
    ----------
    probabilities : ndarray of shape (N, K)
        Of each class.
    labels : ndarray of shape (N,)
        True classes, 0 to K - 1.

    Returns
    -------
    float
        In [0, 1]; 1 / K is chance.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics.classification import balanced_accuracy
    >>> balanced_accuracy(np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]]), np.array([0, 0, 1]))
    0.75
    """
    is_right = probabilities.argmax(axis=1) == labels
    return float(np.mean([is_right[labels == one].mean() for one in np.unique(labels)]))


def auc_difference(
    first: Sequence[Floats],
    second: Sequence[Floats],
    labels: Labels,
    subjects: Sequence[str],
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Mean AUC of one classifier less another's on the same test samples, with its interval over subjects.

    Each is fitted several times: `first` and `second` hold probabilities (N, K) a fit. Test subjects are
    drawn with replacement, the same for all, and the difference of the means over fits is taken each time.
    Tails are widened for few subjects as in `bootstrap.mean_interval`.

    Raises InputError if fits or subjects do not pair.
    """
    if len(first) != len(second) or len(subjects) != len(labels):
        raise InputError(f"{len(first)} fits cannot be paired with {len(second)}, or subjects with labels.")

    def less(weights: Floats | None) -> Floats:
        pairs = zip(first, second, strict=True)
        return np.mean(
            [auc(one, labels, weights) - auc(other, labels, weights) for one, other in pairs], axis=0
        )

    return _over_subjects(less, subjects, confidence, seed)


def auc_interval(
    fits: Sequence[Floats],
    labels: Labels,
    subjects: Sequence[str],
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Mean AUC over fits of one classifier, with its interval over test subjects as in `auc_difference`.

    Raises InputError if subjects and labels do not pair.
    """
    if len(subjects) != len(labels):
        raise InputError(f"{len(subjects)} subjects cannot be paired with {len(labels)} labels.")

    def mean(weights: Floats | None) -> Floats:
        return np.mean([auc(one, labels, weights) for one in fits], axis=0)

    return _over_subjects(mean, subjects, confidence, seed)


def subjects_needed(difference: Estimate, *, power: float = POWER) -> float:
    """Return how many subjects would show a difference of this size with this power; infinity for none.

    The interval shrinks with the root of the number of subjects.
    """
    reach = float(stats.norm.ppf((1 + difference.confidence) / 2))
    error = (difference.high - difference.low) / (2 * reach)
    if not np.isfinite(error) or abs(difference.value) < np.finfo(np.float32).eps:
        return float("inf")
    ratio = (reach + float(stats.norm.ppf(power))) * error / abs(difference.value)
    return max(float(np.ceil(difference.n * ratio**2)), difference.n + 1.0)


def _over_subjects(
    figure: Callable[[Floats | None], Floats], subjects: Sequence[str], confidence: float, seed: int
) -> Estimate:
    """Return a figure of weighted samples (B, N) with its interval, subjects being drawn with replacement."""
    _, whose = np.unique(np.asarray(subjects), return_inverse=True)
    n = int(whose.max()) + 1
    value = float(figure(None)[0])
    if n < 2:
        return Estimate(value, NAN, NAN, n, confidence)
    rng, drawn = np.random.default_rng(seed), []
    for start in range(0, N_RESAMPLES, step := max(1, AT_ONCE // len(whose))):
        size = min(step, N_RESAMPLES - start)
        drawn.append(figure(rng.multinomial(n, np.full(n, 1 / n), size=size)[:, whose].astype(np.float64)))
    tail = (1 - widened(confidence, n)) / 2
    low, high = np.nanquantile(np.concatenate(drawn), [tail, 1 - tail])
    return Estimate(value, float(low), float(high), n, confidence)


def _auc(scores: Floats, is_positive: NDArray[np.bool_], weights: Floats) -> Floats:
    order = np.argsort(scores, kind="stable")
    ranked, positive = scores[order], is_positive[order]
    weights = weights[:, order]
    below = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights * ~positive, axis=1)], axis=1)
    first, last = np.searchsorted(ranked, ranked, "left"), np.searchsorted(ranked, ranked, "right")
    wins = (weights * positive * (below[:, first] + below[:, last]) / 2).sum(axis=1)
    pairs = (weights * positive).sum(axis=1) * below[:, -1]
    return np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1.0), NAN)
