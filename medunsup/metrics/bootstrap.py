"""Is a method better than its baseline on these subjects? Intervals by resampling subjects. Arrays only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from medunsup.core.errors import InputError

Verdict = Literal["better", "worse", "no difference shown", "underpowered"]

N_RESAMPLES = 9999
CONFIDENCE = 0.95
NAN = float("nan")


@dataclass(frozen=True)
class Estimate:
    """A mean over subjects with its interval.

    Attributes
    ----------
    value : float
        The mean.
    low, high : float
        The interval; NaN below two subjects.
    n : int
        Number of subjects.
    confidence : float
        Of the interval, such as 0.95.
    """

    value: float
    low: float
    high: float
    n: int
    confidence: float = CONFIDENCE


@dataclass(frozen=True)
class Comparison:
    """Mean difference to a baseline on the same subjects, and what may be said of it.

    Attributes
    ----------
    difference : Estimate
        The model less the baseline.
    verdict : {'better', 'worse', 'no difference shown', 'underpowered'}
        'better' and 'worse' only if the interval excludes zero; 'underpowered' with too few subjects,
        whatever the interval.
    """

    difference: Estimate
    verdict: Verdict


def compare(
    values: Sequence[float] | NDArray[np.floating],
    baseline: Sequence[float] | NDArray[np.floating],
    *,
    subjects: Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Comparison:
    """Compare a figure, higher is better, with the baseline's on the same scans.

    Scans where either is NaN are left out; scans of one subject are averaged first, so that subjects are
    what is resampled. Raises InputError if lengths differ.
    """
    if len(values) != len(baseline):
        raise InputError(f"{len(values)} values cannot be paired with {len(baseline)} of the baseline.")
    difference = np.asarray(values, dtype=np.float64) - np.asarray(baseline, dtype=np.float64)
    estimate = mean_interval(difference, subjects=subjects, confidence=confidence, seed=seed)
    return Comparison(estimate, verdict_of(estimate))


def mean_interval(
    values: Sequence[float] | NDArray[np.floating],
    *,
    subjects: Sequence[str] | None = None,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Mean over subjects with its expanded percentile interval; NaN values are left out.

    The plain percentile interval is too narrow for few subjects; its tails are `widened` as the t interval's
    are (Hesterberg, The American Statistician 69, 2015, section 4.4).
    """
    sample = _by_subject(np.asarray(values, dtype=np.float64), subjects)
    n = sample.size
    if n < 2:
        return Estimate(float(sample.mean()) if n else NAN, NAN, NAN, n, confidence)
    found = stats.bootstrap(
        (sample,),
        np.mean,
        n_resamples=N_RESAMPLES,
        batch=max(1, 10**6 // n),
        confidence_level=widened(confidence, n),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(float(sample.mean()), float(found.low), float(found.high), n, confidence)


def widened(confidence: float, n: int) -> float:
    """Return the confidence to ask a percentile interval over `n` subjects for, to hold with `confidence`."""
    quantile = stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(n / (n - 1))
    return float(1 - 2 * stats.norm.sf(quantile))


def least_subjects(confidence: float = CONFIDENCE) -> int:
    """Return the fewest subjects for which an interval can mean anything: 6 at 95 %.

    With n subjects, all on one side of zero by pure chance has probability 2^(1-n): below that number even
    a unanimous result is no rarer than the interval's own error rate.
    """
    return int(np.ceil(1 - np.log2(1 - confidence) - 1e-9))


def verdict_of(estimate: Estimate) -> Verdict:
    """Say what the interval of a difference allows to say."""
    if estimate.n < least_subjects(estimate.confidence):
        return "underpowered"
    if estimate.low > 0:
        return "better"
    return "worse" if estimate.high < 0 else "no difference shown"


def _by_subject(values: NDArray[np.float64], subjects: Sequence[str] | None) -> NDArray[np.float64]:
    known = np.isfinite(values)
    if subjects is None:
        return values[known]
    if len(subjects) != values.size:
        raise InputError(f"{values.size} values belong to {len(subjects)} subjects: give one name a value.")
    _, group = np.unique(np.asarray(subjects)[known], return_inverse=True)
    return np.bincount(group, weights=values[known]) / np.bincount(group)
