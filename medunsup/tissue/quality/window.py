"""Whether a scan was cut off at an end of its intensities, as an 8-bit export with a narrow window does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_VALUES = 200_000
ENDS_PERCENT = (0.5, 99.5)
STEP = 0.02  # of the range: how near to its end a value lies in a scan of many grey values
ALMOST = 0.9
PILES_UP = 4.0  # times the share of the next step: few grey values alone reach 2


def piled_up(values: NDArray[Any]) -> dict[str, float]:
    """Percent of a brain's own intensities (N,) that pile up at their smallest and their largest value.

    0 where an end is no more crowded than the next step of intensity, however few grey values there are. Step
    is one grey value, or a fiftieth of the range where those are finer.
    """
    some = np.sort(values[:: max(1, values.size // MOST_VALUES)].astype(np.float64))
    if some.size < 2 or some[0] == some[-1]:
        return {"at_lowest_percent": 0.0, "at_highest_percent": 0.0}
    return {"at_lowest_percent": _at_top(-some[::-1]), "at_highest_percent": _at_top(some)}


def _at_top(values: NDArray[np.float64]) -> float:
    """Percent at the upper end of sorted values, if it piles up there."""
    low, top = np.percentile(values, ENDS_PERCENT, method="nearest")
    grey_values = np.unique(values[(values >= low) & (values <= top)])
    if grey_values.size < 2:
        return 0.0
    step = max(float(np.median(np.diff(grey_values))), STEP * float(top - low))
    edge = top - ALMOST * step  # not the whole step, or rounding would take in the next grey value
    at_end = float((values > edge).mean())
    next_to_it = float(((values > edge - step) & (values <= edge)).mean())
    return 100 * at_end if at_end > PILES_UP * next_to_it else 0.0
