"""Intervals of a figure measured on many halves of the same rows: no independent draws. Arrays only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from medunsup.metrics.bootstrap import CONFIDENCE, NAN, Comparison, Estimate, verdict_of


def resampled_interval(values: Sequence[float] | NDArray[np.floating], *, held_out: float = 1.0) -> Estimate:
    """Mean over J resamplings with the interval of the corrected resampled t-test; NaN values are left out.

    Parts of the same rows overlap, so that the variance of the mean is (1 / J + held_out) s^2, not s^2 / J
    (Nadeau and Bengio, Inference for the generalization error, Machine Learning 52, 2003).

    Parameters
    ----------
    values : sequence of float
        The figure of each resampling.
    held_out : float, default 1.0
        Rows left out for each row that was learned from: 1 of halves.

    Returns
    -------
    Estimate
        Mean and interval, the latter NaN of fewer than two values; `n` counts resamplings.

    Examples
    --------
    >>> from medunsup.metrics.resampled import resampled_interval
    >>> found = resampled_interval([0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
    >>> round(found.low, 2), round(found.high, 2)
    (-0.05, 0.45)
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    n = known.size
    if n < 2:
        return Estimate(float(known[0]) if n else NAN, NAN, NAN, n)
    mean = float(known.mean())
    error = float(known.std(ddof=1)) * np.sqrt(1 / n + held_out)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * error)
    return Estimate(mean, mean - half, mean + half, n)


def compare_resampled(
    values: Sequence[float] | NDArray[np.floating],
    baseline: Sequence[float] | NDArray[np.floating],
    *,
    held_out: float = 1.0,
) -> Comparison:
    """Compare a figure, higher is better, with a baseline's of the same resamplings.

    Parameters
    ----------
    values, baseline : sequence of float
        The figure of each resampling, in the same order.
    held_out : float, default 1.0
        As `resampled_interval` takes it.

    Returns
    -------
    Comparison
        The mean difference with its interval, and what may be said of it.

    Examples
    --------
    >>> from medunsup.metrics.resampled import compare_resampled
    >>> compare_resampled([0.9, 0.8, 0.9, 0.8, 0.9, 0.8], [0.7, 0.8, 0.7, 0.8, 0.7, 0.8]).verdict
    'no difference shown'
    """
    estimate = resampled_interval(np.subtract(values, baseline), held_out=held_out)
    return Comparison(estimate, verdict_of(estimate))
