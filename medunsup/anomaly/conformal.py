"""Ranks of a new scan among healthy ones, and what they promise if all are exchangeable.

Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World, 2005.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError, UsageError

EXACT = 1e-12  # a rate computed as 1 - 0.9 asks for 0.1


def conformal_p_value(healthy: NDArray[np.float64], scan_score: float) -> float:
    """Return (1 + healthy scans that score as much or more) / (n + 1), in [1 / (n + 1), 1].

    Raises InputError for a score that is not a number.
    """
    _refuse_nan(np.append(healthy, scan_score))
    return float((1 + np.sum(healthy >= scan_score)) / (healthy.size + 1))


def is_unusual(p_value: float, alpha: float) -> bool:
    """Whether a p-value is at most `alpha`, as `conformal_threshold` counts it."""
    return p_value <= alpha + EXACT


def conformal_threshold(healthy: NDArray[np.floating], alpha: float) -> float:
    """Value that a new exchangeable one exceeds with probability at most `alpha`, from n healthy ones.

    Raises UsageError if `alpha` < 1 / (n + 1), naming the least it can be and the scans that would do;
    InputError for healthy values that are no numbers.
    """
    n = healthy.size
    _refuse_nan(healthy)
    n_above = int((alpha + EXACT) * (n + 1)) if 0 < alpha < 1 else 0
    if n_above == 0:
        raise UsageError(_refusal(alpha, n))
    return float(np.sort(healthy)[n - min(n_above, n)])


def least_rate(n: int) -> str:
    """Write the least false-positive rate that n healthy scans support, rounded up."""
    digits = 10.0 ** (2 - np.floor(np.log10(1 / (n + 1))))
    return f"{np.ceil(digits / (n + 1) - EXACT) / digits:.3g}"


def _refusal(alpha: float, n: int) -> str:
    if not 0 < alpha < 1:
        return f"A false-positive rate lies between 0 and 1, got {alpha:g}."
    needed = int(np.ceil(1 / (alpha + EXACT) - 1))
    return (
        f"A false-positive rate of {alpha:g} cannot be promised from {n} healthy calibration scans: a new "
        f"healthy scan is the most extreme of {n + 1} once in {n + 1}. "
        f"Ask for {least_rate(n)} or more, or calibrate on at least {needed} scans."
    )


def _refuse_nan(scores: NDArray[Any]) -> None:
    if np.isnan(scores).any():
        raise InputError(
            "A score is not a number (NaN), so it has no rank. Look for missing values in the scan."
        )
