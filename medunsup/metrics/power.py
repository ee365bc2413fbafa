"""How many subjects a difference of the size seen would need to be shown."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

POWER = 0.8
MOST = 100_000


def subjects_needed(
    differences: Sequence[float] | NDArray[np.floating], *, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Return for how many subjects a paired t test would show the mean of `differences` with that power.

    `differences` hold one value a subject; NaN is left out. None if fewer than two are known, if they are all
    0, or if more than 100,000 subjects would be needed. The smallest n with a power, under the noncentral t
    distribution, of at least `power` (Cohen, Statistical power analysis, 1988).
    """
    sample = np.asarray(differences, dtype=np.float64)
    sample = sample[np.isfinite(sample)]
    if sample.size < 2 or not sample.mean():
        return None
    spread = float(sample.std(ddof=1))
    if not spread:
        return 2
    effect = abs(float(sample.mean())) / spread
    low, high = 1, 2
    while high <= MOST and _power(effect, high, confidence) < power:
        low, high = high, 2 * high
    if high > MOST:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(effect, middle, confidence) >= power else (middle, high)
    return high


def _power(effect: float, n: int, confidence: float) -> float:
    """Return the chance that the t test on `n` subjects comes out on the right side."""
    if n < 2:
        return 0.0
    critical = stats.t.ppf((1 + confidence) / 2, n - 1)
    return float(stats.nct.sf(critical, n - 1, effect * np.sqrt(n)))
