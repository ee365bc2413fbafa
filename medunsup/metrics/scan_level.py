"""How well one number a scan tells patients from healthy people. Arrays only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from medunsup.core.errors import InputError
from medunsup.metrics.bootstrap import CONFIDENCE, Estimate

TINY, NEAR = 1e-12, 1e-9


def scan_auroc(
    healthy: Sequence[float] | NDArray[np.floating],
    patients: Sequence[float] | NDArray[np.floating],
    *,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Probability that a patient's score is above a healthy person's, ties counting half.

    Parameters
    ----------
    healthy : sequence of float
        One score for each healthy person.
    patients : sequence of float
        One score for each patient.
    confidence : float in (0, 1), default 0.95
        Of the interval.

    Returns
    -------
    Estimate
        `value` with its interval, `low` to `high`, which keeps a width when the groups separate completely,
        unlike a bootstrap's.

    Raises
    ------
    InputError
        If a group is empty or a score is not finite.

    References
    ----------
    Newcombe (2006), Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part
    2. Statistics in Medicine 25 (method 5).

    Examples
    --------
    >>> from medunsup.metrics import scan_auroc
    >>> found = scan_auroc([0.1, 0.2, 0.3], [0.4, 0.5])
    >>> found.value, found.low < 0.9
    (1.0, True)
    """
    lower, upper = np.asarray(healthy, dtype=np.float64), np.asarray(patients, dtype=np.float64)
    if lower.size == 0 or upper.size == 0 or not np.isfinite([lower.sum(), upper.sum()]).all():
        raise InputError(
            "A scan-level AUROC needs finite scores of at least one healthy scan and one patient."
        )
    wins = stats.mannwhitneyu(upper, lower, method="asymptotic").statistic
    auroc = float(wins) / (lower.size * upper.size)
    quantile = float(stats.norm.ppf((1 + confidence) / 2))

    def beyond(true: float) -> float:
        return (auroc - true) ** 2 - quantile**2 * _variance(true, lower.size, upper.size)

    below, above = min(auroc, 1 - NEAR), max(auroc, NEAR)
    low = optimize.brentq(beyond, TINY, below) if auroc > NEAR else 0.0
    high = optimize.brentq(beyond, above, 1 - TINY) if auroc < 1 - NEAR else 1.0
    return Estimate(auroc, float(low), float(high), lower.size + upper.size, confidence)


def _variance(auroc: float, n_healthy: int, n_patients: int) -> float:
    """Variance of an estimate whose true value is `auroc`, for exponential scores (Hanley & McNeil, 1982)."""
    others = (n_healthy + n_patients) / 2 - 1
    spread = 1 + others * ((1 - auroc) / (2 - auroc) + auroc / (1 + auroc))
    return auroc * (1 - auroc) * spread / (n_healthy * n_patients)
